"""Show what a task found besides its times, as a table of the report."""

from __future__ import annotations

import pandas as pd

from anisweep import modes
from anisweep.formatting import plain
from anisweep.report.model import Measured, Table, Value
from anisweep.report.sections._entries import artifact_links
from anisweep.tables.names import with_names

PLACE = 15

TITLE = "What the task found"
HEADS = ["system", "mode", "what", "median", "smallest", "largest", "artifacts"]
PREFIX = "result_"


def section(study: Measured) -> Table:
    """Make a table with a line for each system, mode and number, over all rows that are ok."""
    cells = study.cells
    found = [name for name in cells.columns if name.startswith(PREFIX)]
    if not found:
        return Table(TITLE, HEADS, [])

    named = with_names(cells[cells["role"] == "cell"])
    rows = [
        [Value(str(system)), Value(str(series)), *_numbers(lines, name)]
        for (system, series), lines in named.groupby(["system", "series"], sort=False)
        for name in found
        if lines[name].notna().any()
    ]
    return Table(TITLE, HEADS, rows)


def _numbers(lines: pd.DataFrame, column: str) -> list[Value]:
    """Return what a number means, its median and ends over the rows, and where they come from."""
    name = column.removeprefix(PREFIX)
    numbers = lines[column].dropna()
    ends = (numbers.median(), numbers.min(), numbers.max())

    return [
        Value(_meanings(str(lines["output"].iloc[0])).get(name, name)),
        *(Value(plain(float(end), 4), sort=float(end)) for end in ends),
        Value("", links=artifact_links(sorted(set(lines["artifact"])))),
    ]


def _meanings(task: str) -> dict[str, str]:
    """Return what the numbers of a task mean; nothing where its file is gone."""
    return modes.meanings_of_results(task) if task in modes.tasks() else {}
