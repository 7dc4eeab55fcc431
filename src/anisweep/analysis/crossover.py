"""Find the break-even size: the system size at which a mode amortises its start-up cost.

A one-off call begins with a fresh interpreter and ends with the result (`one_off_s`). A small problem spends
it on imports, constructor and compilation; a large one on computing. The break-even size N* is the number of
particles at which a mode and the reference take the same: below it, the mode is slower.

The ratio of both is paired within packs (or replicates), and at each size has its 95 % interval. N* itself
is read between the two sizes where the ratio passes 1, on a line through their logarithms.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from anisweep.tables.names import with_names
from anisweep.tables.statistics import Ratio, paired_ratio


@dataclass(frozen=True)
class Crossover:
    """Compare one mode with the reference, over the sizes of a study.

    Attributes
    ----------
    sizes, ratios : number of particles in one call, and time / time of the reference, the smallest first
    slower_up_to : up to this size, all that were measured are slower; ``None`` when not even the smallest is
    faster_from : from this size on, all are faster; ``None`` when not even the largest is
    crossing : N*; ``None`` when the ratio stays on one side of 1
    """

    site: str
    series: str
    what: str
    sizes: tuple[int, ...]
    ratios: tuple[Ratio, ...]
    slower_up_to: int | None
    faster_from: int | None
    crossing: float | None
    artifacts: tuple[str, ...]


def crossovers(cells: pd.DataFrame) -> list[Crossover]:
    """Return the crossovers of modes whose one-off calls of two sizes were timed.

    There is one for each mode, output and set of hyperparameters.

    Parameters
    ----------
    cells : what `anisweep.tables.cells_table` gives; older tables lack the column
    """
    if "one_off_s" not in cells or cells["one_off_s"].isna().all():
        return []

    timed = cells[(cells["status"] == "ok") & cells["one_off_s"].notna()]
    named = with_names(timed.assign(one_off_s=timed["one_off_s"].astype(float)))
    references = set(cells.loc[cells["role"] != "cell", "mode"])
    is_reference = (
        named["mode"].isin(references) & (named["precision"] == "fp64") & (named["device"] == "cpu")
    )

    groups = named[~is_reference].groupby(["site", "output", "hypers", "series"])
    paired = [_paired(rows, named[is_reference]) for _, rows in groups]
    return [_crossover(pairs) for pairs in paired if pairs["particles"].nunique() > 1]


def _paired(rows: pd.DataFrame, reference: pd.DataFrame) -> pd.DataFrame:
    """Pair each call of a mode with the reference's: of its pack, or its replicate where packs hold one."""
    same = ["site", "dataset", "frames", "output", "hypers", "threads"]
    within = rows.merge(reference, on=[*same, "pack", "process"], suffixes=("", "_reference"))

    if within["particles"].nunique() == rows["particles"].nunique():
        return within
    return rows.merge(reference, on=[*same, "replicate"], suffixes=("", "_reference"))


def _crossover(pairs: pd.DataFrame) -> Crossover:
    sizes = tuple(sorted(int(size) for size in pairs["particles"].unique()))
    ratios = tuple(_ratio(pairs[pairs["particles"] == size]) for size in sizes)
    slower = [ratio.low > 1 for ratio in ratios]
    faster = [ratio.high < 1 for ratio in ratios]

    return Crossover(
        site=str(pairs["site"].iloc[0]),
        series=str(pairs["series"].iloc[0]),
        what=str(pairs["output"].iloc[0]).replace("_", " "),
        sizes=sizes,
        ratios=ratios,
        slower_up_to=_last(sizes, slower),
        faster_from=_last(sizes[::-1], faster[::-1]),
        crossing=_crossing(sizes, [ratio.value for ratio in ratios]),
        artifacts=tuple(sorted(pairs["artifact"].unique())),
    )


def _ratio(pairs: pd.DataFrame) -> Ratio:
    columns = {"one_off_s": "median", "one_off_s_reference": "median", "host": "first"}
    packs = pairs.groupby("pack").agg(columns)
    return paired_ratio(
        packs["one_off_s"].tolist(), packs["one_off_s_reference"].tolist(), packs["host"].tolist()
    )


def _last(sizes: tuple[int, ...], held: list[bool]) -> int | None:
    """Return the last size up to which something holds without a gap."""
    upto = held.index(False) if False in held else len(held)
    return sizes[upto - 1] if upto else None


def _crossing(sizes: tuple[int, ...], ratios: list[float]) -> float | None:
    """Return the size at which the ratio last falls below 1."""
    logs = np.log(ratios)

    for k in range(len(sizes) - 1, 0, -1):
        if logs[k] < 0 <= logs[k - 1]:
            part = logs[k - 1] / (logs[k - 1] - logs[k])
            return float(sizes[k - 1] * (sizes[k] / sizes[k - 1]) ** part)
    return None
