"""What can be measured of a claim. Each class is one quantity: its keys in the file, and its figure.

A quantity takes the cells of all studies and the claim's conditions, and gives a figure with its 95 %
interval, or ``None`` where the tables hold nothing of the kind.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, fields
from typing import Annotated, Any, Literal, get_args

import numpy as np
import pandas as pd
from pydantic import AfterValidator, Field

from anisweep import decision
from anisweep.cell import Hypers
from anisweep.claims.evidence import PROBLEM, artifacts_of, largest_problem, matching
from anisweep.config import Section
from anisweep.explain import not_among
from anisweep.row import Row
from anisweep.statistics import Interval, interval, paired_ratio
from anisweep.tables.summary import summary_table

COLUMNS = [f.name for f in fields(Row)] + [f"hyper_{f.name}" for f in fields(Hypers)]


def _known_columns(conditions: dict[str, Any]) -> dict[str, Any]:
    for column in conditions:
        if column not in COLUMNS:
            raise ValueError(not_among(column, COLUMNS, "column"))
    return conditions


Scalar = str | int | float | bool | None
Conditions = Annotated[dict[str, Scalar | list[Scalar]], AfterValidator(_known_columns)]


@dataclass(frozen=True)
class Figure:
    """A measured number.

    Attributes
    ----------
    low, high : 95 % interval; of exact counts and of extremes the smallest and largest value seen
    count : packs that it rests on, or rows, as ``of`` says
    """

    value: float
    low: float
    high: float
    count: int
    of: Literal["packs", "rows"]
    site: str
    artifacts: tuple[str, ...]


class TimeRatio(Section):
    """Time of `of` / time of `to`, paired within packs, or by replicate where no pack holds both."""

    quantity: Literal["time_ratio"]
    of: Annotated[Conditions, Field(description="on top of the claim's")]
    to: Annotated[Conditions, Field(description="on top of the claim's")]

    def figure(self, cells: pd.DataFrame, conditions: dict[str, Any]) -> Figure | None:
        """Geometric mean over packs."""
        ok = cells[(cells["status"] == "ok") & cells["wall_s"].notna()]
        sides = [
            matching(ok, conditions | where).assign(side=k) for k, where in enumerate((self.of, self.to))
        ]
        same = self.of.get("dataset") == self.to.get("dataset")
        by = PROBLEM if same else ["site", "output", "hypers"]

        both = pd.concat(sides)
        both = both.groupby(by, dropna=False).filter(lambda group: group["side"].nunique() == 2)
        if both.empty:
            return None

        chosen = largest_problem(both, by)
        upper, lower = _pack_times(chosen[chosen["side"] == 0]), _pack_times(chosen[chosen["side"] == 1])
        pairs = _paired(upper, lower)
        ratio = paired_ratio(list(pairs["seconds_x"]), list(pairs["seconds_y"]), list(pairs["host"]))
        return Figure(
            ratio.value, ratio.low, ratio.high, ratio.packs, "packs", _site(chosen), artifacts_of(chosen)
        )


def _pack_times(rows: pd.DataFrame) -> pd.DataFrame:
    """One time a pack: of the reference that of its anchors, as in the summary, else the cell's median."""
    anchors = rows[rows["role"] != "cell"]
    by = ["pack", "replicate", "host"]
    of_anchors = anchors.groupby(by)["wall_s"].agg(lambda walls: float(np.exp(np.log(walls).mean())))
    of_cells = rows[~rows["pack"].isin(anchors["pack"])].groupby(by)["wall_s"].median()
    times: pd.DataFrame = pd.concat([of_anchors, of_cells]).rename("seconds").reset_index()
    return times


def _paired(upper: pd.DataFrame, lower: pd.DataFrame) -> pd.DataFrame:
    within = upper.merge(lower, on="pack")
    pairs = within if len(within) else upper.merge(lower, on="replicate")
    hosts = zip(pairs["host_x"], pairs["host_y"], strict=True)
    return pairs.assign(host=[one if one == other else f"{one} and {other}" for one, other in hosts])


class Share(Section):
    """Sum of the columns `part` / sum of the columns `whole`, of one call."""

    quantity: Literal["share"]
    part: Annotated[list[str], Field(description="columns of times, stages among them")]
    whole: Annotated[list[str], Field(description="columns of times")]
    with_import: Annotated[bool, Field(description="whether the first import of its process counts")] = False

    def figure(self, cells: pd.DataFrame, conditions: dict[str, Any]) -> Figure | None:
        """Mean over packs of each pack's median."""
        rows = matching(cells[cells["status"] == "ok"], {"role": "cell"} | conditions)
        parts = rows.reindex(columns=self.part).astype(float)
        whole = rows.reindex(columns=self.whole).astype(float).sum(axis=1, skipna=False)
        if self.with_import:
            whole = whole + _first_import(cells, rows)

        share = parts.sum(axis=1, min_count=1) / whole
        chosen = largest_problem(rows.assign(share=share).dropna(subset=["share"]))
        return _mean_over_packs(chosen, "share")


class ImportTime(Section):
    """Seconds of the first import in a fresh interpreter: that of the reference and all it needs."""

    quantity: Literal["import_time"]

    def figure(self, cells: pd.DataFrame, conditions: dict[str, Any]) -> Figure | None:
        """Mean over packs."""
        rows = matching(cells, {"role": "first anchor"} | conditions)
        first = rows.assign(first_import=_first_import(cells, rows)).dropna(subset=["first_import"])
        return _mean_over_packs(largest_problem(first, ["site"]), "first_import")


def _first_import(cells: pd.DataFrame, rows: pd.DataFrame) -> pd.Series[float]:
    """For each row the longest import of its process: what comes later finds all imported."""
    longest = cells.groupby(["pack", "process"])["import_s"].max()
    places = pd.MultiIndex.from_frame(rows[["pack", "process"]])
    return pd.Series(longest.reindex(places).to_numpy(dtype=float), index=rows.index)


class Largest(Section):
    """The largest value of `column`, divided by that of `per` if given, over all rows."""

    quantity: Literal["largest"]
    column: Annotated[str, Field(description="of the cells table")]
    per: Annotated[str | None, Field(description="another one")] = None

    def figure(self, cells: pd.DataFrame, conditions: dict[str, Any]) -> Figure | None:
        """An extreme has no interval: it is what these data hold. Its artifact is that of the extreme."""
        rows = matching(cells[cells["status"].isin(["ok", "wrong"])], {"role": "cell"} | conditions)
        values = rows.reindex(columns=[self.column]).astype(float)[self.column]
        if self.per:
            values = values / rows.reindex(columns=[self.per]).astype(float)[self.per]

        values = values.dropna()
        if values.empty:
            return None

        largest = float(values.max())
        where = rows.loc[[values.idxmax()]]
        return Figure(largest, largest, largest, len(values), "rows", _site(where), artifacts_of(where))


class RowsThat(Section):
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
        """Exact: these are all rows there are."""
        rows = matching(cells, conditions)
        rows = rows if self.unavailable else rows[rows["status"] != "unavailable"]
        if rows.empty:
            return None

        passed = TESTS[self.test](rows).astype(float)
        share = float(passed.mean())
        return Figure(share, share, share, len(rows), "rows", _site(rows), artifacts_of(rows))


def _ran_the_mode(rows: pd.DataFrame) -> pd.Series[bool]:
    return rows["mode_executed"].str.rpartition(".")[2] == rows["mode"]


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


class Calls(Section):
    """Calls of the contraction in one computation; with `per_law` divided by what the law says.

    For P pairs, T species and L = max_angular the law is P (L + 1) + T^2 (L + 1) for coefficients, and
    (L + 1) + (L + 1)^2 more for each species in the power spectrum.
    """

    quantity: Literal["calls"]
    per_law: Annotated[bool, Field(description="whether to divide by the law")] = False

    def figure(self, cells: pd.DataFrame, conditions: dict[str, Any]) -> Figure | None:
        """Exact: the smallest and the largest count seen are its ends."""
        rows = matching(cells[cells["status"] == "ok"], {"role": "cell"} | conditions)
        if rows.empty or "count_contraction" not in rows:
            return None

        rows = rows[rows["count_contraction"].notna() & rows["pairs"].notna()]
        calls = rows["count_contraction"].astype(float)
        values = calls / _calls_by_law(rows) if self.per_law else calls
        if values.empty:
            return None

        low, high = float(values.min()), float(values.max())
        return Figure(float(values.median()), low, high, len(rows), "rows", _site(rows), artifacts_of(rows))


def _calls_by_law(rows: pd.DataFrame) -> pd.Series[float]:
    channels = rows["hyper_max_angular"].astype(float) + 1
    species = rows["species"].astype(float)
    of_spectrum = species * (channels + channels**2) * (rows["output"] == "power_spectrum")
    return rows["pairs"].astype(float) * channels + species**2 * channels + of_spectrum


class SpeciesExponent(Section):
    """Slope of log(time) against log(number of species), among data sets of as many particles and pairs."""

    quantity: Literal["species_exponent"]

    def figure(self, cells: pd.DataFrame, conditions: dict[str, Any]) -> Figure | None:
        """Mean over replicates; of several sets that with the most numbers of species."""
        ok = matching(cells[cells["status"] == "ok"], {"role": "cell"} | conditions)
        alike = ["site", "output", "hypers", "mode", "frames", "particles", "pairs"]
        groups = [group for _, group in ok.groupby(alike) if group["species"].nunique() > 2]
        if not groups:
            return None

        rows = max(groups, key=lambda group: (group["species"].nunique(), group["pack"].nunique()))
        slopes, hosts = [], []
        for _, replicate in rows.groupby("replicate"):
            times = replicate.groupby("species")["wall_s"].median()
            if len(times) > 2:
                logs = np.log(times.index.to_numpy(dtype=float)), np.log(times.to_numpy(dtype=float))
                slopes.append(float(np.polyfit(*logs, 1)[0]))
                hosts.append(" ".join(sorted(set(replicate["host"]))))

        return _over_packs(interval(slopes, hosts), len(slopes), rows) if slopes else None


class Decided(Section):
    """The share of points for which the decision logic says conversion or kernels (`anisweep.decision`)."""

    quantity: Literal["decided"]

    def figure(self, cells: pd.DataFrame, conditions: dict[str, Any]) -> Figure | None:
        """Exact: these are all points there are."""
        cells_alone = matching(cells, {"role": "cell"} | conditions)
        anchors = cells[(cells["role"] != "cell") & cells["pack"].isin(cells_alone["pack"])]
        rows = pd.concat([cells_alone, anchors])
        if cells_alone.empty:
            return None

        answers = [made.answer != "inconclusive" for made in decision.decisions(summary_table(rows))]
        if not answers:
            return None

        share = float(np.mean(answers))
        return Figure(share, share, share, len(rows), "rows", _site(rows), artifacts_of(rows))


Measurement = Annotated[
    TimeRatio | Share | ImportTime | Largest | RowsThat | Calls | SpeciesExponent | Decided,
    Field(discriminator="quantity"),
]


def by_name() -> dict[str, type[Section]]:
    """Every quantity by the name that files of claims call it."""
    classes: tuple[type[Section], ...] = get_args(get_args(Measurement)[0])
    return {get_args(each.model_fields["quantity"].annotation)[0]: each for each in classes}


def _mean_over_packs(rows: pd.DataFrame, column: str) -> Figure | None:
    if rows.empty:
        return None

    packs = rows.groupby("pack").agg({column: "median", "host": "first"})
    return _over_packs(interval(list(packs[column]), list(packs["host"])), len(packs), rows)


def _over_packs(found: Interval, packs: int, rows: pd.DataFrame) -> Figure:
    return Figure(found.mean, found.low, found.high, packs, "packs", _site(rows), artifacts_of(rows))


def _site(rows: pd.DataFrame) -> str:
    return " ".join(sorted(set(rows["site"])))
