"""Show what each mode of a study is."""

from __future__ import annotations

from anisweep import modes
from anisweep.report.model import Measured, Table, Value
from anisweep.tables.names import with_names

PLACE = 80

#: What a reader meets in every table.
TERMS = (
    "Pairs are the neighbour pairs within the cutoff, over all frames; a pack is a job on one host that runs "
    "the reference first and last and the modes between; a replicate is the same measurement in another pack."
)


def section(study: Measured) -> Table:
    """Make a table with a line for each mode."""
    named = with_names(study.summary)
    shown = list(dict.fromkeys(named.sort_values("mode")["mode"]))
    rows = [[Value(name), Value(_summary(name))] for name in shown]
    return Table("Modes", ["mode", "what it is"], rows, note=TERMS)


def _summary(name: str) -> str:
    """Return what a mode is; nothing for one that is not in this version."""
    task = modes.task_of(name)
    present = modes.names() if not task else modes.names_in(task) if task in modes.tasks() else []
    return modes.summary(name) if name in present else ""
