"""How a time grows with the size of the problem: the exponent p of time ~ size^p, fitted to logarithms.

Each replicate gives one exponent, by least squares over its points; the interval is Student's, over
replicates. The scatter is the factor by which the points stay off the line: of several measures of size the
one with the least scatter is what the time really hangs on.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from anisweep.statistics import interval
from anisweep.tables.names import with_names

#: Fewer sizes than this make no line that could be wrong.
LEAST = 3

#: Data sets whose pairs per particle differ by less are of one kind, and lie on one line.
ALIKE = 0.05

#: Measures of size. Over ordered pairs of species, the sum of N_a N_b would just be N².
SIZES: dict[str, Callable[[pd.DataFrame], pd.Series[float]]] = {
    "pairs": lambda rows: rows["pairs"].astype(float),
    "N²": lambda rows: rows["particles"].astype(float) ** 2 / rows["frames"],
    # Tables that are older than the column lack it.
    "Σ N_a N_b, a ≤ b": lambda rows: rows.reindex(columns=["species_products"])["species_products"].astype(
        float
    ),
    "species": lambda rows: rows["species"].astype(float),
}

#: Hyperparameters that are sizes.
HYPERS = ("max_angular", "max_radial", "cutoff_radius")


@dataclass(frozen=True)
class Growth:
    """One fitted exponent.

    Attributes
    ----------
    where : what stays the same along the line
    along : the measure of size
    exponent, low, high : mean over replicates and its 95 % interval
    scatter : root mean square distance from the line, as a factor (1: none)
    """

    site: str
    series: str
    where: str
    along: str
    smallest: float
    largest: float
    points: int
    exponent: float
    low: float
    high: float
    scatter: float
    replicates: int
    artifacts: tuple[str, ...]


def growths(cells: pd.DataFrame) -> list[Growth]:
    """Every line of a study that has three sizes.

    Parameters
    ----------
    cells : what `anisweep.tables.cells_table` gives
    """
    timed = cells[(cells["status"] == "ok") & (cells["role"] == "cell") & cells["wall_s"].notna()]
    named = with_names(timed)
    return [*_with_size(named), *_with_hypers(named)]


def _with_size(named: pd.DataFrame) -> Iterator[Growth]:
    sized = named[(named["pairs"] > 0) & (named["particles"] > 0)]

    for _, rows in sized.groupby(["site", "output", "hypers", "series"]):
        family = _of_one_kind(rows)

        for along, size in SIZES.items():
            chosen = _of_equal_size(family) if along == "species" else family
            yield from _line(chosen.assign(size=size(chosen)), along, _words(rows["output"]))


def _of_one_kind(rows: pd.DataFrame) -> pd.DataFrame:
    """Those of one density of pairs: the most frequent one."""
    density = rows["pairs"].astype(float) / rows["particles"].astype(float)
    kinds = [(density / each - 1).abs() < ALIKE for each in density.unique()]
    most: pd.DataFrame = rows[max(kinds, key=lambda kind: kind.sum())]
    return most


def _of_equal_size(family: pd.DataFrame) -> pd.DataFrame:
    """Of several sizes the one with the most numbers of species, and of these the largest."""
    species = family.groupby(["particles", "pairs"])["species"].nunique().sort_values(kind="stable")
    particles, pairs = species.index[-1]
    equal: pd.DataFrame = family[(family["particles"] == particles) & (family["pairs"] == pairs)]
    return equal


def _with_hypers(named: pd.DataFrame) -> Iterator[Growth]:
    for name in HYPERS:
        column = f"hyper_{name}"
        others = [each for each in named.columns.astype(str) if each.startswith("hyper_") and each != column]
        sized = named.assign(size=pd.to_numeric(named[column], errors="coerce")).dropna(subset=["size"])

        for _, rows in sized.groupby(
            ["site", "dataset", "frames", "output", "series", *others], dropna=False
        ):
            where = f"{rows['dataset'].iloc[0].replace('_', ' ')}, {_words(rows['output'])}"
            yield from _line(rows, name.replace("_", " "), where)


def _line(rows: pd.DataFrame, along: str, where: str) -> Iterator[Growth]:
    """The exponent of time along the column `size`, where there are enough sizes."""
    sized = rows[rows["size"] > 0]
    replicates = [one for _, one in sized.groupby("replicate") if one["size"].nunique() >= LEAST]
    if not replicates:
        return

    slopes, scatters = zip(*map(_fit, replicates), strict=True)
    hosts = [" ".join(sorted(set(one["host"]))) for one in replicates]
    over_replicates = interval(slopes, hosts)
    one = sized.iloc[0]
    yield Growth(
        site=str(one["site"]),
        series=str(one["series"]),
        where=where,
        along=along,
        smallest=float(sized["size"].min()),
        largest=float(sized["size"].max()),
        points=max(map(len, replicates)),
        exponent=over_replicates.mean,
        low=over_replicates.low,
        high=over_replicates.high,
        scatter=float(np.exp(np.sqrt(np.mean(np.square(scatters))))),
        replicates=len(slopes),
        artifacts=tuple(sorted(set(sized["artifact"]))),
    )


def _fit(points: pd.DataFrame) -> tuple[float, float]:
    """Slope, and root mean square distance from the line."""
    x, y = np.log(points["size"].to_numpy(float)), np.log(points["wall_s"].to_numpy(float))
    slope, start = np.polyfit(x, y, 1)
    return float(slope), float(np.sqrt(np.mean((y - start - slope * x) ** 2)))


def _words(output: pd.Series[Any]) -> str:
    return str(output.iloc[0]).replace("_", " ")
