"""Decide which cells are measured, why, in which packs, and how long it takes.

It is a pure function of configuration, sound artifacts and packs in flight (`State`). Snakemake executes it
and decides nothing about measuring.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from anisweep.artifacts.store import Entry
from anisweep.cell import Cell, Pack
from anisweep.config.project import Project
from anisweep.config.sections import Config, Sweep
from anisweep.files import write_text
from anisweep.plan.cost import CostModel
from anisweep.plan.packing import packs_of
from anisweep.plan.pending import pack_file
from anisweep.plan.run_lock import Holder
from anisweep.plan.state import State, read_state

__all__ = ["CellToMeasure", "Plan", "State", "decide", "make_plan", "pack_file", "read_state"]


@dataclass(frozen=True)
class CellToMeasure:
    """Hold a cell that is to be measured, and why."""

    cell: Cell
    reason: str


@dataclass(frozen=True)
class Plan:
    """Say what a run would do.

    Attributes
    ----------
    cells : every cell of the configuration by key, in the order of the studies
    studies : keys of each study's cells
    measured : artifact that holds each measured cell, by key
    failed : keys of the measured cells that have no measurement: their rows say failed or stalled
    in_flight : keys that a running controller measures, or that a cluster still owes
    to_measure : the rest
    packs : the packs for ``to_measure``
    attached : packs that a cluster owes to nobody: this run waits for them, and submits nothing
    damaged : artifacts that are not sound
    """

    cells: dict[str, Cell]
    studies: dict[str, list[str]]
    measured: dict[str, str]
    failed: set[str]
    in_flight: set[str]
    to_measure: list[CellToMeasure]
    packs: list[Pack]
    attached: list[Pack]
    damaged: list[Entry]
    model: CostModel
    running: Holder | None

    @property
    def estimated_s(self) -> float:
        """Return the seconds that measuring takes, one pack after the other."""
        return sum(pack.estimated_s for pack in self.packs)

    @property
    def awaited(self) -> list[Pack]:
        """Return the packs whose artifacts a run waits for."""
        return [*self.attached, *self.packs]

    def artifacts_of(self, study: str) -> list[str]:
        """Return the names of the artifacts that hold or will hold the study's cells."""
        keys = self.studies[study]
        planned = {cell.key: pack.name for pack in self.awaited for cell in pack.cells}
        found = (self.measured.get(key) or planned.get(key) for key in keys)
        return sorted({name for name in found if name})


def make_plan(project: Project, config: Config, studies: dict[str, Sweep]) -> Plan:
    """Read what the plan rests on, and decide what is to be measured."""
    return decide(read_state(project, config, studies), config)


def decide(state: State, config: Config) -> Plan:
    """Decide what is to be measured: a pure function, which reads and writes nothing."""
    reasons = state.reasons
    artifacts = [entry.name for entry in [*state.entries, *state.lost]]
    under_way = [pack.name for pack in [*state.owed, *state.frozen]]
    attached = [pack for pack in state.owed if state.in_flight.intersection(cell.key for cell in pack.cells)]
    packs = packs_of(
        [(cell, state.references[cell.key]) for cell in state.open],
        config,
        state.model,
        state.environment.packages,
        state.code_files,
        taken={*artifacts, *under_way},
    )
    return Plan(
        cells=state.cells,
        studies={name: [cell.key for cell in mine] for name, mine in state.asked.items()},
        measured=state.measured,
        failed=state.failed & state.measured.keys(),
        in_flight=state.in_flight,
        to_measure=[CellToMeasure(cell, reasons.of(cell)) for cell in state.open],
        packs=packs,
        attached=[] if state.running else attached,
        damaged=[entry for entry in state.entries if not entry.sound],
        model=state.model,
        running=state.running,
    )


def write_packs(project: Project, packs: Iterable[Pack]) -> None:
    """Write the packs, each as a whole: a kill or another command at the same time leaves no half one."""
    for pack in packs:
        file = project.root / pack_file(project, pack.name)
        text = pack.to_json()
        if not file.exists() or file.read_text() != text:
            write_text(file, text)
