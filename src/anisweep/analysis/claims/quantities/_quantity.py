"""Define what a quantity of claims is, and the figure that it gives."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar, Literal

import pandas as pd

from anisweep.analysis.claims.evidence import artifacts_of, sites_of
from anisweep.config.sections import ConfigSection
from anisweep.tables.statistics import Interval, interval


@dataclass(frozen=True)
class Figure:
    """Hold a measured number.

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


class Quantity(ConfigSection):
    """Hold what a file of claims says of a measurement: its name and its keys.

    Attributes
    ----------
    quantity : the name; each class allows one or a few, as a ``Literal``
    rests_on : the table that it takes, of all studies together
    """

    rests_on: ClassVar[Literal["cells", "bundles"]] = "cells"
    quantity: str

    def figure(self, table: pd.DataFrame, conditions: dict[str, Any]) -> Figure | None:
        """Return the figure of the rows that meet the conditions; None where there are none of the kind."""
        raise NotImplementedError


def mean_over_packs(rows: pd.DataFrame, column: str) -> Figure | None:
    """Return the mean over packs of each pack's median, or None without rows."""
    if rows.empty:
        return None

    packs = rows.groupby("pack").agg({column: "median", "host": "first"})
    return over_packs(interval(list(packs[column]), packs["host"].tolist()), len(packs), rows)


def over_packs(found: Interval, packs: int, rows: pd.DataFrame) -> Figure:
    """Return an interval over packs as a figure, with the sites and artifacts of its rows."""
    return Figure(found.mean, found.low, found.high, packs, "packs", sites_of(rows), artifacts_of(rows))
