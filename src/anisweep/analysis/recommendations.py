"""Recommend, for each problem of a study, the way to compute that is right and fastest.

A way is a mode with its precision, device and threads. It is eligible when its precision has a bound and
every row of it is `ok`: right within it, with the threads asked for. What is not pinned depends on the
machine, and is not recommended. Others whose interval of times meets the fastest one's are as fast, as far
as these data can tell.

A way that takes longer to start than the reference (constructor, and what its first call takes beyond the
others) pays only from some number of computations on. Imports are left out: the cells of a process share
them.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import pandas as pd

from anisweep.cell import NOT_PINNED
from anisweep.tables.names import with_names
from anisweep.tables.summary import POINT, PROBLEM


@dataclass(frozen=True)
class Recommendation:
    """Describe the fastest right way for one problem.

    Attributes
    ----------
    as_fast : ways that may be as fast
    ratio, low, high : time / time of the reference, and its 95 % interval
    error : worst max |difference| / max |reference|
    frames_per_hour : in one job
    pays_from : computations from which start-up is earned back; ``None`` where the reference is the fastest,
        or starting was not measured
    """

    site: str
    system: str
    series: str
    as_fast: tuple[str, ...]
    seconds: float
    ratio: float
    low: float
    high: float
    error: float
    frames_per_hour: float
    pays_from: int | None
    artifacts: tuple[str, ...]


def recommendations(cells: pd.DataFrame, summary: pd.DataFrame) -> list[Recommendation]:
    """Return a recommendation for each problem in which two ways were right.

    Parameters
    ----------
    cells, summary : what `anisweep.tables` gives
    """
    named = with_names(summary)
    ok = named["statuses"].str.fullmatch(r"\d+ ok") & named["wall_mean_s"].notna()
    right = named[ok & named["bound"].notna() & (named["threads"] != NOT_PINNED)]
    starts = _starts(cells)
    return [_fastest(lines, starts) for _, lines in right.groupby(PROBLEM, sort=False) if len(lines) > 1]


def _starts(cells: pd.DataFrame) -> dict[Any, float]:
    """Return the seconds of constructor and first call beyond the others, in the median row of each point."""
    rows = cells[(cells["status"] == "ok") & (cells["role"] == "cell")]
    first = (rows["first_call_s"] - rows["wall_s"]).clip(lower=0.0)
    return dict(rows.assign(start=rows["prepare_s"] + first).groupby(POINT)["start"].median().items())


def _fastest(lines: pd.DataFrame, starts: dict[Any, float]) -> Recommendation:
    ordered = lines.sort_values("wall_mean_s")
    best = ordered.iloc[0]
    as_fast = ordered.iloc[1:][ordered.iloc[1:]["wall_low_s"] <= best["wall_high_s"]]

    return Recommendation(
        site=str(best["site"]),
        system=str(best["system"]),
        series=str(best["series"]),
        as_fast=tuple(as_fast["series"]),
        seconds=float(best["wall_mean_s"]),
        ratio=float(best["ratio"]),
        low=float(best["ratio_low"]),
        high=float(best["ratio_high"]),
        error=float(best["max_relative_error"]),
        frames_per_hour=3600.0 * float(best["frames"]) / float(best["wall_mean_s"]),
        pays_from=_pays_from(best, lines, starts),
        artifacts=tuple(str(best["artifacts"]).split()),
    )


def _pays_from(best: pd.Series[Any], lines: pd.DataFrame, starts: dict[Any, float]) -> int | None:
    """Return after how many computations the time gained in each has earned back the longer start."""
    others = lines[(lines["verdict"] == "reference") & (lines.index != best.name)]
    if others.empty:
        return None

    reference = others.iloc[0]
    gained = float(reference["wall_mean_s"]) - float(best["wall_mean_s"])
    longer = _start(best, starts) - _start(reference, starts)
    return None if math.isnan(longer) else max(1, math.ceil(longer / gained))


def _start(line: pd.Series[Any], starts: dict[Any, float]) -> float:
    return starts.get(tuple(line[name] for name in POINT), math.nan)
