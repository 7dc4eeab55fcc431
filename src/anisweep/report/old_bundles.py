"""Show the rows of old bundles in a table of their own, because nothing proves them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd

from anisweep.formatting import plain, whole
from anisweep.report.model import Table, Value
from anisweep.report.sections._entries import number
from anisweep.tables.old_rows import UNPROVEN, read_old_rows

NOTE = (
    "Taken from archives as they are: no measurements of this project, and part of no mean, ratio or verdict "
    f"above. Unproven: {UNPROVEN}. Every line is in results/tables/old_rows.csv."
)

#: Lines that differ in one of these are never averaged.
SAME = ["site", "table", "file", "mode", "tag"]


def old_bundle_tables(folder: Path) -> list[Table]:
    """Make a table with one line for each file and mode of each old table.

    There is none where no old bundle was taken in.
    """
    rows = read_old_rows(folder)
    if rows.empty:
        return []

    timed = rows.assign(time=rows["wall_s"].fillna(rows["wall_mean"]).fillna(rows["elapsed_s"]))
    heads = [*SAME, "runs", "mean / s", "std / s", "utilisation", "N", "species", "bundle"]
    lines = [_line(keys, group) for keys, group in timed.groupby(SAME, sort=True)]
    return [Table(f"Old bundles: {len(rows)} unproven rows", heads, lines, note=NOTE)]


def _line(keys: Any, group: pd.DataFrame) -> list[Value]:
    numbers = [
        number(group["time"].mean(), plain),
        number(group["time"].std(), plain),
        number(group["util"].mean(), plain),
        number(group["N"].max(), whole),
        number(group["species"].max(), whole),
    ]
    bundles = " ".join(sorted(group["bundle"].unique()))
    return [*(Value(str(key)) for key in keys), number(len(group), whole), *numbers, Value(bundles)]
