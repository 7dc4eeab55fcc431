"""What came from old bundles, in a table of its own: nothing in it is proven."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd

from anisweep.report.content import Table, Value
from anisweep.report.numbers import plain, whole
from anisweep.tables.ingested import UNPROVEN, read_ingested

NOTE = (
    "Taken from archives as they are: no measurements of this project, and part of no mean, ratio or verdict "
    f"above. Unproven: {UNPROVEN}. Every line is in results/tables/ingested.csv."
)

#: Lines that differ in one of these are never averaged.
SAME = ["site", "table", "file", "mode", "tag"]


def ingested_tables(folder: Path) -> list[Table]:
    """One line for each file and mode of each old table; no table where nothing was ingested."""
    rows = read_ingested(folder)
    if rows.empty:
        return []

    timed = rows.assign(time=rows["wall_s"].fillna(rows["wall_mean"]).fillna(rows["elapsed_s"]))
    heads = [*SAME, "runs", "mean / s", "std / s", "utilisation", "N", "species", "bundle"]
    lines = [_line(keys, group) for keys, group in timed.groupby(SAME, sort=True)]
    return [Table(f"Old bundles: {len(rows)} unproven rows", heads, lines, note=NOTE)]


def _line(keys: Any, group: pd.DataFrame) -> list[Value]:
    numbers = [
        _value(group["time"].mean(), plain),
        _value(group["time"].std(), plain),
        _value(group["util"].mean(), plain),
        _value(group["N"].max(), whole),
        _value(group["species"].max(), whole),
    ]
    bundles = " ".join(sorted(group["bundle"].unique()))
    return [*(Value(str(key)) for key in keys), _value(len(group), whole), *numbers, Value(bundles)]


def _value(number: Any, text: Any) -> Value:
    return Value(text(number), sort=None if pd.isna(number) else float(number))
