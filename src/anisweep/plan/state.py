"""Read what a plan is decided from: artifacts, packs under way, environment and measured times."""

from __future__ import annotations

from collections.abc import Container, Iterable, Iterator
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path

from anisweep.artifacts.store import Entry, Point, Store, restore_kept
from anisweep.cell import Cell, Hypers, Pack
from anisweep.config.project import Project
from anisweep.config.sections import Config, Sweep
from anisweep.config.site import LOCAL
from anisweep.environments.lock import Environment, environment_of, installed_differences
from anisweep.errors import UserError
from anisweep.parsing.schema import build
from anisweep.plan.code_digest import code_files
from anisweep.plan.cost import CostModel
from anisweep.plan.expand import cells_of
from anisweep.plan.pending import frozen_packs, packs_under_way
from anisweep.plan.reasons import Reasons
from anisweep.plan.run_lock import Holder, holder
from anisweep.row import Row


@dataclass(frozen=True)
class State:
    """Hold all that a plan depends on; nothing else is read to make it.

    Attributes
    ----------
    asked : the cells of each study, by its name
    references : the reference mode of each cell, by key
    entries : artifacts in the folder, sound or damaged
    lost : artifacts that were there once
    owed : packs that a cluster owes
    frozen : packs that a running controller measures
    retry : whether cells that failed or stalled are asked for again
    code_files : digests of the source files of each mode, by module
    points : what the cells of each artifact are about, by its name; read where cells are to be measured
    earlier : packs in which cells of the same points were measured with other code or packages, by name
    model : how long cells take, with the number of pairs of each open cell
    """

    environment: Environment
    asked: dict[str, list[Cell]]
    references: dict[str, str]
    entries: list[Entry]
    owed: list[Pack]
    frozen: list[Pack]
    running: Holder | None
    retry: bool
    code_files: dict[str, dict[str, str]]
    model: CostModel
    lost: list[Entry] = field(default_factory=list)
    points: dict[str, dict[str, Point]] = field(default_factory=dict)
    earlier: dict[str, Pack] = field(default_factory=dict)

    @cached_property
    def cells(self) -> dict[str, Cell]:
        """Return every cell by key, in the order of the studies."""
        return {cell.key: cell for mine in self.asked.values() for cell in mine}

    @cached_property
    def failed(self) -> set[str]:
        """Return the keys of measured cells whose rows say failed or stalled."""
        return {key for key, entry in self._held.items() if key in entry.unfinished}

    @cached_property
    def measured(self) -> dict[str, str]:
        """Return the artifact that holds each cell which is not asked for again, by key."""
        again = self.failed if self.retry else set()
        return {key: entry.name for key, entry in self._held.items() if key not in again}

    @cached_property
    def in_flight(self) -> set[str]:
        """Return the keys of cells that a cluster owes or a running controller measures."""
        keys = {cell.key for pack in [*self.owed, *self.frozen] for cell in pack.cells}
        return (keys & self.cells.keys()) - self.measured.keys()

    @cached_property
    def open(self) -> list[Cell]:
        """Return the cells that are to be measured."""
        done = self.measured.keys() | self.in_flight
        return [cell for key, cell in self.cells.items() if key not in done]

    @property
    def reasons(self) -> Reasons:
        """Return what says why cells are to be measured."""
        return Reasons(self.entries, self.lost, self.points, self.earlier, self.environment, self.code_files)

    @cached_property
    def _held(self) -> dict[str, Entry]:
        return newest_of(self.entries, self.cells)


def read_state(project: Project, config: Config, studies: dict[str, Sweep]) -> State:
    """Read what a plan rests on, after giving back artifacts that a dead run left half closed.

    Raises
    ------
    UserError
        when the environment is not that of its lock, or a study cannot be expanded
    """
    running = holder(project)
    if running is None:
        restore_kept(project.artifacts)

    store = Store(project.artifacts, project.state)
    environment = environment_of(project, config.site)
    _check_environment(config, environment)

    asked = {name: list(cells_of(name, sweep, config.site, project)) for name, sweep in studies.items()}
    state = State(
        environment=environment,
        asked=asked,
        references={cell.key: studies[name].reference for name, mine in asked.items() for cell in mine},
        entries=store.entries(),
        owed=packs_under_way(project),
        frozen=frozen_packs(project, running.packs if running else ()),
        running=running,
        retry=config.retry,
        code_files={cell.mode: code_files(cell.mode) for mine in asked.values() for cell in mine},
        model=CostModel(root=project.root),
    )
    return _with_open_cells(state, project, store) if state.open else state


def _with_open_cells(state: State, project: Project, store: Store) -> State:
    """Read what only cells that are to be measured need: times, and what was measured of them before."""
    model = CostModel.from_rows(_measured_rows(store, state.entries), project.root)
    for cell in state.open:
        model.cell_pairs(cell)
        model.variables_of(cell.mode)

    lost = store.lost()
    points = {entry.name: store.points(entry.name) for entry in [*lost, *state.entries]}
    told = replace(state, lost=lost, points=points, model=model)

    artifacts = {name for cell in state.open if (name := told.reasons.compared_with(cell))}
    earlier = {name: store.contents(name).pack for name in sorted(artifacts)}
    return replace(told, earlier=earlier)


def learned_model(root: Path, store: Store | None) -> CostModel:
    """Return the time model, refined by what the store has measured; without a store as it comes."""
    return CostModel.from_rows(_measured_rows(store, store.entries()) if store else (), root)


def newest_of(entries: Iterable[Entry], keys: Container[str]) -> dict[str, Entry]:
    """Return the artifact that holds each wanted cell; the latest one where several do."""
    sound = sorted((entry for entry in entries if entry.sound), key=lambda entry: entry.measured)
    return {key: entry for entry in sound for key in entry.keys if key in keys}


def _measured_rows(store: Store, entries: list[Entry]) -> Iterator[tuple[Row, Hypers]]:
    """Yield the rows that teach the cost model: those of the newest 50 artifacts."""
    newest = sorted((entry for entry in entries if entry.sound), key=lambda entry: -entry.mtime_ns)[:50]

    for entry in newest:
        for row in store.rows(entry.name):
            yield row, build(Hypers, row.hypers)


def _check_environment(config: Config, environment: Environment) -> None:
    """Refuse when what is installed is not what the lock says: the digest in the rows would lie."""
    differences = installed_differences(environment) if config.site == LOCAL else []

    if differences:
        raise UserError(
            "The environment is not the one of envs/worker.txt: "
            + "; ".join(differences[:4])
            + (f" and {len(differences) - 4} more" if len(differences) > 4 else "")
            + ".\nRun `make env`, or `make lock` if the change is meant."
        )
