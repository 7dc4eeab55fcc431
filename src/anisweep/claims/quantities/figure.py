"""A measured number, with the interval that a verdict needs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import pandas as pd

from anisweep.claims.evidence import artifacts_of, sites_of
from anisweep.statistics import Interval, interval


@dataclass(frozen=True)
class Figure:
    """A measured number.

    Attributes
    ----------
    low, high : 95 % interval; of exact counts and of extremes the smallest and largest value seen
    count : packs that it rests on, or rows, or tables, as ``of`` says
    """

    value: float
    low: float
    high: float
    count: int
    of: Literal["packs", "rows", "tables"]
    site: str
    artifacts: tuple[str, ...]


def mean_over_packs(rows: pd.DataFrame, column: str) -> Figure | None:
    if rows.empty:
        return None

    packs = rows.groupby("pack").agg({column: "median", "host": "first"})
    return over_packs(interval(list(packs[column]), list(packs["host"])), len(packs), rows)


def over_packs(found: Interval, packs: int, rows: pd.DataFrame) -> Figure:
    return Figure(found.mean, found.low, found.high, packs, "packs", sites_of(rows), artifacts_of(rows))
