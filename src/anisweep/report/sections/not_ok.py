"""Show the rows that are not ok, and why."""

from __future__ import annotations

from anisweep.formatting import counted, whole
from anisweep.report.model import Measured, Table, Value
from anisweep.report.sections._entries import MOST_ROWS, cut, identity, number, origin

PLACE = 120


def section(study: Measured) -> Table:
    """Make a table with a line for each of the first of these rows."""
    heads = ["system", "mode", "replicate", "status", "reason", "artifact"]
    named = study.named_cells
    bad = named[named["status"] != "ok"]
    rows = [
        [
            *identity(row),
            number(row["replicate"], whole),
            Value(row["status"]),
            Value(row["reason"]),
            origin(row),
        ]
        for _, row in bad.head(MOST_ROWS).iterrows()
    ]
    return Table(f"Not ok: {counted(len(bad), 'row')}", heads, rows, note=cut(len(bad)))
