"""Why a cell is to be measured: the sentence that `anisweep plan` prints."""

from __future__ import annotations

from dataclasses import dataclass

from anisweep.cell import Cell
from anisweep.plan.digests import Environment, code_files
from anisweep.store import Entry, Store


@dataclass(frozen=True)
class Earlier:
    """A measurement of the same point that no longer counts."""

    artifact: str
    key: str
    environment: str
    code: str


class Reasons:
    """Compares wanted cells with what the store knows.

    Parameters
    ----------
    entries : artifacts in the folder
    lost : artifacts that were there once
    """

    def __init__(
        self, store: Store, entries: list[Entry], lost: list[Entry], environment: Environment
    ) -> None:
        self.store = store
        self.environment = environment
        self.damaged: dict[str, str] = {}
        self.earlier: dict[tuple[str, str], Earlier] = {}
        self.any_dataset: set[tuple[str, str]] = set()

        for entry in [*lost, *entries]:
            self._learn(entry, missing=entry in lost)

    def of(self, cell: Cell) -> str:
        """The reason for one cell."""
        if cell.key in self.damaged:
            return self.damaged[cell.key]

        before = self.earlier.get((cell.site, cell.point))
        if before is None:
            seen = (cell.site, cell.dataset_free) in self.any_dataset
            return "dataset changed" if seen else "new"

        if before.environment != cell.environment:
            return f"environment changed: {self._packages(before)}"
        if before.code != cell.code:
            return f"code changed: {self._files(before, cell)}"
        return "failed or stalled before" if before.key == cell.key else "settings of the measurement changed"

    def _learn(self, entry: Entry, missing: bool) -> None:
        if missing or not entry.sound:
            what = "artifact missing" if missing else "artifact damaged"
            self.damaged.update(dict.fromkeys(entry.keys, f"{what}: {entry.name}"))

        for point, seen in entry.points.items():
            self.earlier[seen["site"], point] = Earlier(
                entry.name, seen["key"], seen["environment"], seen["code"]
            )
            self.any_dataset.add((seen["site"], seen["dataset_free"]))

    def _packages(self, before: Earlier) -> str:
        then = self.store.details(before.artifact)["pack"]["packages"]
        return _differences(then, self.environment.packages) or "hashes of the lock"

    def _files(self, before: Earlier, cell: Cell) -> str:
        then = self.store.details(before.artifact)["pack"]["code_files"].get(cell.mode, {})
        now = code_files(cell.mode)
        return ", ".join(sorted(name for name in {*then, *now} if then.get(name) != now.get(name)))


def _differences(then: dict[str, str], now: dict[str, str]) -> str:
    """At most four packages, the rest as a number."""
    changed = sorted(name for name in {*then, *now} if then.get(name) != now.get(name))
    named = [f"{name} {then.get(name, 'absent')} -> {now.get(name, 'absent')}" for name in changed[:4]]
    more = [f"{len(changed) - 4} more"] if len(changed) > 4 else []
    return ", ".join(named + more)
