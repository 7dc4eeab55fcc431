"""Choose the rows that a claim is judged by: those that meet its conditions, of one problem at one site."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from anisweep.errors import UserError
from anisweep.tables.summary import WAY

#: What makes one problem at one place, whatever its data set is called. Sites are never averaged.
PROBLEM_BY_CONTENT = ["site", "output", "hypers", "dataset_digest", "frames"]

#: A condition with this value allows everything; it lifts one of the table's.
ANY = "any"


def matching(cells: pd.DataFrame, conditions: Mapping[str, Any]) -> pd.DataFrame:
    """Return the rows that meet every condition: equal to the value, or to one of a list."""
    kept = np.ones(len(cells), dtype=bool)

    for column, wanted in conditions.items():
        if wanted == ANY:
            continue
        if column not in cells:
            return cells.iloc[:0]

        kept &= _meets(cells[column], wanted).to_numpy()
        if not kept.any():
            return cells.iloc[:0]

    return cells if kept.all() else cells[kept]


def measured(cells: pd.DataFrame, conditions: dict[str, Any], *statuses: str) -> pd.DataFrame:
    """Return the rows of cells, not of the reference, that meet conditions and have one of the statuses."""
    rows = matching(cells, {"role": "cell"} | conditions)
    return rows[rows["status"].isin(statuses)]


def _meets(column: pd.Series[Any], wanted: Any) -> pd.Series[bool]:
    if wanted is None:
        return column.isna()

    met = column.isin(wanted) if isinstance(wanted, list) else column == wanted
    return met.fillna(False).astype(bool)


def largest_problem(rows: pd.DataFrame, by: Sequence[str] = PROBLEM_BY_CONTENT) -> pd.DataFrame:
    """Return the rows of the problem with the most pairs.

    Of several sites it is that with the most packs, and of equal ones `local`.
    """
    if rows.empty:
        return rows

    groups = [group for _, group in rows.groupby(list(by), dropna=False, sort=True)]
    return max(groups, key=_size)


def _size(group: pd.DataFrame) -> tuple[float, int, bool]:
    pairs = group["pairs"].max()
    return (
        -1.0 if pd.isna(pairs) else float(pairs),
        group["pack"].nunique(),
        bool((group["site"] == "local").all()),
    )


def artifacts_of(*parts: pd.DataFrame) -> tuple[str, ...]:
    """Return the artifacts that rows come from."""
    return tuple(sorted({artifact for rows in parts for artifact in rows["artifact"].unique()}))


def sites_of(rows: pd.DataFrame) -> str:
    """Return the sites that rows come from."""
    return " ".join(sorted(rows["site"].unique()))


def only_one_way(rows: pd.DataFrame) -> pd.DataFrame:
    """Return the rows themselves, which must agree in how they were computed.

    No average goes over modes.
    """
    for column in WAY:
        found = sorted({str(value) for value in rows[column].unique()})
        if len(found) > 1:
            raise UserError(
                f"the conditions leave its {column} open. Allowed: one of {', '.join(found)}.\n"
                f"Add `{column}` to them."
            )
    return rows
