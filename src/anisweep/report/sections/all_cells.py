"""Show every measurement of a study."""

from __future__ import annotations

from anisweep.formatting import milliseconds, plain, whole
from anisweep.report.model import Measured, Table, Value
from anisweep.report.sections._entries import MOST_ROWS, cut, identity, number, origin

PLACE = 160


def section(study: Measured) -> Table:
    """Make a table with a line for each of the first rows."""
    heads = ["system", "mode", "role", "replicate", "process", "wall / ms", "std / ms", "CPU / wall"]
    heads += ["relative error", "status", "host", "artifact"]
    named = study.named_cells
    rows = [
        [
            *identity(row),
            Value(row["role"]),
            number(row["replicate"], whole),
            number(row["process"], whole),
            number(row["wall_s"], milliseconds),
            number(row["wall_std_s"], milliseconds),
            number(row["cpu_utilisation"], plain),
            number(row["max_relative_error"], plain),
            Value(row["status"]),
            Value(row["host"], title=row["cpu_model"]),
            origin(row),
        ]
        for _, row in named.head(MOST_ROWS).iterrows()
    ]
    return Table("Every measurement", heads, rows, note=cut(len(named)))
