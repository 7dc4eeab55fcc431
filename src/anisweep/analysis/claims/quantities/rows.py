"""Measure quantities that are counted over rows: they hold exactly for these data, without an interval."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any, Literal

import numpy as np
import pandas as pd
from pydantic import Field

from anisweep.analysis import conversion
from anisweep.analysis.claims.evidence import artifacts_of, matching, measured, sites_of
from anisweep.analysis.claims.quantities._quantity import Figure, Quantity
from anisweep.cell import NOT_PINNED
from anisweep.tables.summary import summary_table


class Extreme(Quantity):
    """The largest or smallest value of `column`, divided by that of `per` if given, over all rows."""

    quantity: Literal["largest", "smallest"]
    column: Annotated[str, Field(description="of the cells table")]
    per: Annotated[str | None, Field(description="another one")] = None

    def figure(self, cells: pd.DataFrame, conditions: dict[str, Any]) -> Figure | None:
        """Return the extreme, with the artifact that holds it.

        It has no interval: it is what these data hold.
        """
        rows = measured(cells, conditions, "ok", "wrong")
        values = rows.reindex(columns=[self.column]).astype(float)[self.column]
        if self.per:
            values = values / rows.reindex(columns=[self.per]).astype(float)[self.per]

        values = values.dropna()
        if values.empty:
            return None

        largest = self.quantity == "largest"
        value = float(values.max() if largest else values.min())
        where = rows.loc[[values.idxmax() if largest else values.idxmin()]]
        return Figure(value, value, value, len(values), "rows", sites_of(where), artifacts_of(where))


class RowsThat(Quantity):
    """The share of rows that pass a test, by its name."""

    quantity: Literal["rows_that"]
    test: Annotated[
        Literal[
            "ran_the_mode", "agree_elementwise", "have_the_threads", "know_cpu_use", "stalled", "have_words"
        ],
        Field(description="what a row must hold"),
    ]
    unavailable: Annotated[bool, Field(description="whether rows `unavailable` count")] = False

    def figure(self, cells: pd.DataFrame, conditions: dict[str, Any]) -> Figure | None:
        """Return the exact share: these are all rows there are."""
        rows = matching(cells, conditions)
        rows = rows if self.unavailable else rows[rows["status"] != "unavailable"]
        rows = rows[rows["threads"] != NOT_PINNED] if self.test == "have_the_threads" else rows
        if rows.empty:
            return None

        passed = TESTS[self.test](rows).astype(float)
        share = float(passed.mean())
        return Figure(share, share, share, len(rows), "rows", sites_of(rows), artifacts_of(rows))


def _ran_the_mode(rows: pd.DataFrame) -> pd.Series[bool]:
    module = rows["mode_executed"].str.removeprefix("anisweep.modes.")
    return module == rows["mode"]


def _have_the_threads(rows: pd.DataFrame) -> pd.Series[bool]:
    pools = rows[[name for name in rows.columns if name.startswith("pool_")]]
    return pools.notna().any(axis=1) & pools.eq(rows["threads"], axis=0).where(pools.notna(), True).all(
        axis=1
    )


def _agree_elementwise(rows: pd.DataFrame) -> pd.Series[bool]:
    return rows["elementwise"].fillna(False).astype(bool)


def _know_cpu_use(rows: pd.DataFrame) -> pd.Series[bool]:
    return rows["cpu_utilisation"].notna() | ~rows["status"].isin(["ok", "wrong"])


def _stalled(rows: pd.DataFrame) -> pd.Series[bool]:
    return rows["status"] == "stalled"


def _have_words(rows: pd.DataFrame) -> pd.Series[bool]:
    return rows["status"].isin(["ok", "wrong"]) | (rows["reason"] != "")


TESTS: dict[str, Callable[[pd.DataFrame], pd.Series[bool]]] = {
    "ran_the_mode": _ran_the_mode,
    "agree_elementwise": _agree_elementwise,
    "have_the_threads": _have_the_threads,
    "know_cpu_use": _know_cpu_use,
    "stalled": _stalled,
    "have_words": _have_words,
}


class Calls(Quantity):
    """The number of calls of the contraction in one computation; `per_law` divides it by what the law says.

    For P pairs, T species and L = max_angular the law is P (L + 1) + T^2 (L + 1) for coefficients, and
    (L + 1) + (L + 1)^2 more for each species in the power spectrum.
    """

    quantity: Literal["calls"]
    per_law: Annotated[bool, Field(description="whether to divide by the law")] = False

    def figure(self, cells: pd.DataFrame, conditions: dict[str, Any]) -> Figure | None:
        """Return the exact count, whose ends are the smallest and the largest count seen."""
        rows = measured(cells, conditions, "ok")
        if rows.empty or "count_contraction" not in rows:
            return None

        rows = rows[rows["count_contraction"].notna() & rows["pairs"].notna()]
        calls = rows["count_contraction"].astype(float)
        values = calls / _calls_by_law(rows) if self.per_law else calls
        if values.empty:
            return None

        low, high = float(values.min()), float(values.max())
        return Figure(
            float(values.median()), low, high, len(rows), "rows", sites_of(rows), artifacts_of(rows)
        )


def _calls_by_law(rows: pd.DataFrame) -> pd.Series[float]:
    channels = rows["hyper_max_angular"].astype(float) + 1
    species = rows["species"].astype(float)
    of_spectrum = species * (channels + channels**2) * (rows["output"] == "power_spectrum")
    return rows["pairs"].astype(float) * channels + species**2 * channels + of_spectrum


class Decided(Quantity):
    """The share of points at which `anisweep.analysis.conversion` says conversion or kernels."""

    quantity: Literal["decided"]

    def figure(self, cells: pd.DataFrame, conditions: dict[str, Any]) -> Figure | None:
        """Return the exact share: these are all points there are."""
        cells_alone = matching(cells, {"role": "cell"} | conditions)
        references = cells[(cells["role"] != "cell") & cells["pack"].isin(cells_alone["pack"])]
        rows = pd.concat([cells_alone, references])
        if cells_alone.empty:
            return None

        answers = [made.answer != "inconclusive" for made in conversion.conversions(summary_table(rows))]
        if not answers:
            return None

        share = float(np.mean(answers))
        return Figure(share, share, share, len(rows), "rows", sites_of(rows), artifacts_of(rows))
