"""The plan: which cells are to be measured, why, in which packs, and for how long.

A pure function of configuration, sound artifacts and packs in flight. Snakemake executes it and
decides nothing about measuring.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from anisweep.cell import Cell, Hypers, Pack, hypers_from_plain
from anisweep.config import Config, ConfigError, Project, Sweep
from anisweep.controller import Holder, holder
from anisweep.plan.cost import CostModel
from anisweep.plan.digests import Environment, environment_of, installed_differences
from anisweep.plan.expand import cells_of
from anisweep.plan.packing import packs_of
from anisweep.plan.reasons import Reasons
from anisweep.plan.under_way import frozen_packs, pack_file, packs_under_way
from anisweep.row import Row
from anisweep.site import LOCAL
from anisweep.store import Entry, Store, restore_kept, write_text

__all__ = ["Plan", "Wanted", "make_plan", "pack_file"]


@dataclass(frozen=True)
class Wanted:
    """A cell that is to be measured, and why."""

    cell: Cell
    reason: str


@dataclass(frozen=True)
class Plan:
    """What a run would do.

    Attributes
    ----------
    cells : every cell of the configuration by key, in the order of the studies
    studies : keys of each study's cells
    measured : artifact that holds each measured cell, by key
    in_flight : keys that a running controller measures, or that a cluster still owes
    to_measure : the rest
    packs : the packs for ``to_measure``
    attached : packs that a cluster owes to nobody: this run waits for them, and submits nothing
    damaged : artifacts that are not sound
    """

    cells: dict[str, Cell]
    studies: dict[str, list[str]]
    measured: dict[str, str]
    in_flight: set[str]
    to_measure: list[Wanted]
    packs: list[Pack]
    attached: list[Pack]
    damaged: list[Entry]
    model: CostModel
    running: Holder | None

    @property
    def estimated_s(self) -> float:
        """Seconds that measuring takes, one pack after the other."""
        return sum(pack.estimated_s for pack in self.packs)

    @property
    def awaited(self) -> list[Pack]:
        """The packs whose artifacts a run waits for."""
        return [*self.attached, *self.packs]

    def artifacts_of(self, study: str) -> list[str]:
        """Names of the artifacts that hold or will hold the study's cells."""
        keys = self.studies[study]
        planned = {cell.key: pack.name for pack in self.awaited for cell in pack.cells}
        found = (self.measured.get(key) or planned.get(key) for key in keys)
        return sorted({name for name in found if name})


def make_plan(project: Project, config: Config, studies: dict[str, Sweep]) -> Plan:
    """Decide what is to be measured, after giving back artifacts that a dead run left half closed."""
    running = holder(project)
    if running is None:
        restore_kept(project.artifacts)

    store = Store(project.artifacts, project.state)
    entries = store.entries()
    environment = environment_of(project, config.site)
    _check_environment(config, environment)

    cells: dict[str, Cell] = {}
    anchors: dict[str, str] = {}
    keys: dict[str, list[str]] = {}

    for name, sweep in studies.items():
        mine = list(cells_of(name, sweep, config.site, project))
        keys[name] = [cell.key for cell in mine]
        cells.update((cell.key, cell) for cell in mine)
        anchors.update((cell.key, sweep.anchor) for cell in mine)

    measured = _measured(store, entries, cells, config.retry)
    owed = packs_under_way(project)
    under_way = [*owed, *frozen_packs(project, running.packs if running else ())]
    in_flight = {cell.key for pack in under_way for cell in pack.cells if cell.key in cells} - measured.keys()
    open_keys = [key for key in cells if key not in measured and key not in in_flight]

    model = learned_model(project.root, store if open_keys else None)
    lost = store.lost() if open_keys else []
    reasons = Reasons(store, entries, lost, environment)
    packs = packs_of(
        [(cells[key], anchors[key]) for key in open_keys],
        config,
        model,
        environment.packages,
        taken={*(entry.name for entry in [*entries, *lost]), *(pack.name for pack in under_way)},
    )
    damaged = [entry for entry in entries if not entry.sound]
    return Plan(
        cells=cells,
        studies=keys,
        measured=measured,
        in_flight=in_flight,
        to_measure=[Wanted(cells[key], reasons.of(cells[key])) for key in open_keys],
        packs=packs,
        attached=[] if running else [pack for pack in owed if _holds(pack, in_flight)],
        damaged=damaged,
        model=model,
        running=running,
    )


def _holds(pack: Pack, keys: set[str]) -> bool:
    return any(cell.key in keys for cell in pack.cells)


def learned_model(root: Path, store: Store | None) -> CostModel:
    """The time model, refined by what the store has measured; without a store as it comes."""
    return CostModel.from_rows(_measured_rows(store, store.entries()) if store else (), root)


def write_packs(project: Project, packs: Iterable[Pack]) -> None:
    """Write the packs, each as a whole: a kill or another command at the same time leaves no half one."""
    for pack in packs:
        file = project.root / pack_file(project, pack.name)
        text = pack.to_json()
        if not file.exists() or file.read_text() != text:
            write_text(file, text)


def _check_environment(config: Config, environment: Environment) -> None:
    """What is installed must be what the lock says, or the digest in the rows would lie."""
    differences = installed_differences(environment) if config.site == LOCAL else []

    if differences:
        raise ConfigError(
            "The environment is not the one of envs/worker.txt: "
            + "; ".join(differences[:4])
            + (f" and {len(differences) - 4} more" if len(differences) > 4 else "")
            + ".\nRun `make env`, or `make lock` if the change is meant."
        )


def _measured_rows(store: Store, entries: list[Entry]) -> Iterator[tuple[Row, Hypers]]:
    """Rows that teach the cost model: those of the newest 50 artifacts."""
    newest = sorted((entry for entry in entries if entry.sound), key=lambda entry: -entry.mtime_ns)[:50]

    for entry in newest:
        for row in store.rows(entry.name):
            yield row, hypers_from_plain(row.hypers)


def _measured(store: Store, entries: list[Entry], cells: dict[str, Cell], retry: bool) -> dict[str, str]:
    """The artifact that holds each wanted cell; the latest one where several do."""
    sound = sorted((entry for entry in entries if entry.sound), key=lambda entry: entry.measured)
    measured = {key: entry.name for entry in sound for key in entry.keys if key in cells}

    if retry:
        unfinished = {
            (name, row.key) for name in {*measured.values()} for row in store.rows(name) if _unfinished(row)
        }
        measured = {key: name for key, name in measured.items() if (name, key) not in unfinished}
    return measured


def _unfinished(row: Row) -> bool:
    return row.role == "cell" and row.status in ("failed", "stalled")
