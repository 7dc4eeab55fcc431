"""Explain why a cell is to be measured, as `anisweep plan` prints it."""

from __future__ import annotations

from collections.abc import Mapping

from anisweep.artifacts.store import Entry, Point
from anisweep.cell import Cell, Pack
from anisweep.environments.lock import Environment


class Reasons:
    """Compare wanted cells with what is known of earlier measurements.

    Parameters
    ----------
    entries : artifacts in the folder
    lost : artifacts that were there once
    points : what the cells of each of them are about, by its name
    packs : the packs of those artifacts that `compared_with` names, by name
    code_files : digests of the source files of each mode, as they are now
    """

    def __init__(
        self,
        entries: list[Entry],
        lost: list[Entry],
        points: Mapping[str, Mapping[str, Point]],
        packs: dict[str, Pack],
        environment: Environment,
        code_files: dict[str, dict[str, str]],
    ) -> None:
        self.packs = packs
        self.environment = environment
        self.code_files = code_files
        self.damaged: dict[str, str] = {}
        self.unfinished: set[str] = set()
        self.earlier: dict[tuple[str, str], tuple[str, Point]] = {}
        self.any_dataset: set[tuple[str, str]] = set()

        for entry in [*lost, *entries]:
            self._learn(entry, points.get(entry.name, {}), missing=entry in lost)

    def compared_with(self, cell: Cell) -> str:
        """Return the artifact whose pack says what has changed for a cell; empty when none is needed."""
        artifact, before = self.earlier.get((cell.site, cell.point), ("", None))
        if before is None or cell.key in self.damaged:
            return ""
        same = (before.environment, before.code) == (cell.environment, cell.code)
        return "" if same else artifact

    def of(self, cell: Cell) -> str:
        """Return the reason for one cell."""
        if cell.key in self.damaged:
            return self.damaged[cell.key]
        if cell.key in self.unfinished:
            return "failed or stalled before"

        artifact, before = self.earlier.get((cell.site, cell.point), ("", None))
        if before is None:
            seen = (cell.site, cell.dataset_free) in self.any_dataset
            return "dataset changed" if seen else "new"

        if before.environment != cell.environment:
            return f"environment changed: {self._packages(artifact)}"
        if before.code != cell.code:
            return f"code changed: {self._files(artifact, cell)}"
        return "settings of the measurement changed"

    def _learn(self, entry: Entry, points: Mapping[str, Point], missing: bool) -> None:
        if missing or not entry.sound:
            what = "artifact missing" if missing else "artifact damaged"
            self.damaged.update(dict.fromkeys(entry.keys, f"{what}: {entry.name}"))

        self.unfinished.update(entry.unfinished)
        for point, seen in points.items():
            self.earlier[seen.site, point] = entry.name, seen
            self.any_dataset.add((seen.site, seen.dataset_free))

    def _packages(self, artifact: str) -> str:
        then = self.packs[artifact].packages
        return _differences(then, self.environment.packages) or "hashes of the lock"

    def _files(self, artifact: str, cell: Cell) -> str:
        then = self.packs[artifact].code_files.get(cell.mode, {})
        now = self.code_files[cell.mode]
        return ", ".join(sorted(name for name in {*then, *now} if then.get(name) != now.get(name)))


def _differences(then: dict[str, str], now: dict[str, str]) -> str:
    """Name at most four packages, and the rest as a number."""
    changed = sorted(name for name in {*then, *now} if then.get(name) != now.get(name))
    named = [f"{name} {then.get(name, 'absent')} -> {now.get(name, 'absent')}" for name in changed[:4]]
    more = [f"{len(changed) - 4} more"] if len(changed) > 4 else []
    return ", ".join(named + more)
