"""Measure quantities made of times: ratios, shares, imports, growth, each with an interval over packs."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import numpy as np
import pandas as pd
from pydantic import Field

from anisweep.analysis.claims.conditions import Conditions
from anisweep.analysis.claims.evidence import (
    PROBLEM_BY_CONTENT,
    artifacts_of,
    largest_problem,
    matching,
    measured,
    only_one_way,
    sites_of,
)
from anisweep.analysis.claims.quantities._quantity import Figure, Quantity, mean_over_packs, over_packs
from anisweep.analysis.growth import exponent
from anisweep.tables.statistics import paired_ratio


class TimeRatio(Quantity):
    """The time of `of` over the time of `to`, paired within packs, or by replicate where no pack holds both.

    The time is the wall time of one call, or the sum of the columns that are named.
    """

    quantity: Literal["time_ratio"]
    of: Annotated[Conditions, Field(description="on top of the claim's")]
    to: Annotated[Conditions, Field(description="on top of the claim's")]
    time: Annotated[
        tuple[str, ...], Field(strict=False, min_length=1, description="columns, which add up")
    ] = ("wall_s",)

    def figure(self, cells: pd.DataFrame, conditions: dict[str, Any]) -> Figure | None:
        """Return the geometric mean over packs."""
        sides = [
            only_one_way(self._timed(matching(cells, conditions | where))).assign(side=k)
            for k, where in enumerate((self.of, self.to))
        ]
        same = self.of.get("dataset") == self.to.get("dataset")
        by = PROBLEM_BY_CONTENT if same else ["site", "output", "hypers"]

        both = pd.concat(sides)
        both = both.groupby(by, dropna=False).filter(lambda group: group["side"].nunique() == 2)
        if both.empty:
            return None

        chosen = largest_problem(both, by)
        upper, lower = _pack_times(chosen[chosen["side"] == 0]), _pack_times(chosen[chosen["side"] == 1])
        pairs = _paired(upper, lower)
        ratio = paired_ratio(pairs["seconds_x"].tolist(), pairs["seconds_y"].tolist(), pairs["host"].tolist())
        return Figure(
            ratio.value, ratio.low, ratio.high, ratio.packs, "packs", sites_of(chosen), artifacts_of(chosen)
        )

    def _timed(self, rows: pd.DataFrame) -> pd.DataFrame:
        """Return the rows that are ok and have all the times, with their sum."""
        seconds = rows.reindex(columns=list(self.time)).astype(float).sum(axis=1, skipna=False)
        return rows.assign(seconds=seconds)[(rows["status"] == "ok") & seconds.notna()]


def _pack_times(rows: pd.DataFrame) -> pd.DataFrame:
    """Return one time a pack: the reference's as in the summary, else the cell's median."""
    references = rows[rows["role"] != "cell"]
    by = ["pack", "replicate", "host"]
    of_references = references.groupby(by)["seconds"].agg(lambda times: float(np.exp(np.log(times).mean())))
    of_cells = rows[~rows["pack"].isin(references["pack"])].groupby(by)["seconds"].median()
    times: pd.DataFrame = pd.concat([of_references, of_cells]).reset_index()
    return times


def _paired(upper: pd.DataFrame, lower: pd.DataFrame) -> pd.DataFrame:
    within = upper.merge(lower, on="pack")
    pairs = within if len(within) else upper.merge(lower, on="replicate")
    hosts = zip(pairs["host_x"], pairs["host_y"], strict=True)
    return pairs.assign(host=[one if one == other else f"{one} and {other}" for one, other in hosts])


class Share(Quantity):
    """The sum of the columns `part` over the sum of the columns `whole`, in one call."""

    quantity: Literal["share"]
    part: Annotated[list[str], Field(description="columns of times, stages among them")]
    whole: Annotated[list[str], Field(description="columns of times")]
    with_import: Annotated[bool, Field(description="whether the first import of its process counts")] = False

    def figure(self, cells: pd.DataFrame, conditions: dict[str, Any]) -> Figure | None:
        """Return the mean over packs of each pack's median."""
        rows = measured(cells, conditions, "ok")
        parts = rows.reindex(columns=self.part).astype(float)
        whole = rows.reindex(columns=self.whole).astype(float).sum(axis=1, skipna=False)
        if self.with_import:
            whole = whole + _first_import(cells, rows)

        share = parts.sum(axis=1, min_count=1) / whole
        chosen = largest_problem(only_one_way(rows.assign(share=share).dropna(subset=["share"])))
        return mean_over_packs(chosen, "share")


class ImportTime(Quantity):
    """The seconds of the first import in a fresh interpreter: that of the reference and all it needs."""

    quantity: Literal["import_time"]

    def figure(self, cells: pd.DataFrame, conditions: dict[str, Any]) -> Figure | None:
        """Return the mean over packs."""
        rows = matching(cells, {"role": "first reference"} | conditions)
        first = rows.assign(first_import=_first_import(cells, rows)).dropna(subset=["first_import"])
        return mean_over_packs(largest_problem(first, ["site"]), "first_import")


def _first_import(cells: pd.DataFrame, rows: pd.DataFrame) -> pd.Series[float]:
    """Return, for each row, the longest import of its process: what comes later finds all imported."""
    longest = cells.groupby(["pack", "process"])["import_s"].max()
    places = pd.MultiIndex.from_frame(rows[["pack", "process"]])
    return pd.Series(longest.reindex(places).to_numpy(dtype=float), index=rows.index)


class SpeciesExponent(Quantity):
    """The slope of log(time) against log(number of species), for equal numbers of particles and pairs."""

    quantity: Literal["species_exponent"]

    def figure(self, cells: pd.DataFrame, conditions: dict[str, Any]) -> Figure | None:
        """Return the mean over replicates; of several sets that with the most numbers of species."""
        ok = measured(cells, conditions, "ok")
        alike = ["site", "output", "hypers", "frames", "particles", "pairs"]
        groups = [group for _, group in only_one_way(ok).groupby(alike) if group["species"].nunique() > 2]
        if not groups:
            return None

        rows = max(groups, key=lambda group: (group["species"].nunique(), group["pack"].nunique()))
        fitted = exponent(rows.assign(size=rows["species"].astype(float)))
        return over_packs(fitted.over_replicates, fitted.replicates, rows) if fitted else None
