"""Show what a task found besides its times, as a table of the report."""

from __future__ import annotations

import pandas as pd

from anisweep import modes
from anisweep.formatting import NOTHING, between, plain
from anisweep.report.model import Measured, Table, Value
from anisweep.report.sections._entries import artifact_links
from anisweep.tables.names import with_names

PLACE = 15

TITLE = "What the task found"
PREFIX = "result_"
NOTE = "Medians over all measurements; below them the smallest and the largest, where these differ."


def section(study: Measured) -> Table:
    """Make a table with a line for each system and number, and a column for each mode."""
    cells = study.cells
    found = [name for name in cells.columns if name.startswith(PREFIX)]
    if not found:
        return Table(TITLE, [], [])

    named = with_names(cells[cells["role"] == "cell"])
    series = list(dict.fromkeys(named["series"]))
    rows = [
        [
            Value(str(system)),
            Value(_meaning(lines, name)),
            *(_value(lines.loc[lines["series"] == each, name].dropna()) for each in series),
            Value("", links=artifact_links(sorted(lines["artifact"].unique()))),
        ]
        for system, lines in named.groupby("system", sort=False)
        for name in found
        if lines[name].notna().any()
    ]
    return Table(TITLE, ["system", "what", *series, "artifacts"], rows, note=NOTE)


def _meaning(lines: pd.DataFrame, column: str) -> str:
    """Return what a number means, and its name where the task's file is gone."""
    name, task = column.removeprefix(PREFIX), str(lines["output"].iloc[0])
    meanings = modes.meanings_of_results(task) if task in modes.tasks() else {}
    return meanings.get(name, name)


def _value(numbers: pd.Series[float]) -> Value:
    """Return the median, with the ends where these differ from it."""
    if numbers.empty:
        return Value(NOTHING)

    ends = (float(numbers.min()), float(numbers.max()))
    return Value(
        plain(float(numbers.median()), 4),
        sort=float(numbers.median()),
        range=between(*ends) if ends[0] < ends[1] else "",
    )
