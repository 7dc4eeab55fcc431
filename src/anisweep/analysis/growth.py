"""Fit how a time grows with the size of the problem: the exponent p of time ~ size^p.

The exponent is fitted to logarithms. Each replicate gives one, by least squares over its points; the interval
is Student's, over replicates. The scatter is the factor by which the points stay off the line: of several
measures of size the one with the least scatter is what the time really depends on.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from anisweep.formatting import counted
from anisweep.tables.names import hyper_in_short, hypers_names, with_names
from anisweep.tables.statistics import Interval, interval
from anisweep.tables.summary import POINT

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

#: Columns of the cells that lines are drawn from; older tables lack some.
USED = [
    *POINT,
    "particles",
    "pairs",
    "species",
    "species_products",
    "wall_s",
    "replicate",
    "host",
    "artifact",
]

#: Hyperparameters that are sizes.
HYPERS = ("max_angular", "max_radial", "cutoff_radius")


@dataclass(frozen=True)
class Exponent:
    """Hold a fitted exponent.

    Attributes
    ----------
    points : of the replicate that has most of them
    scatter : root mean square distance from the line, as a factor (1: none)
    """

    over_replicates: Interval
    replicates: int
    points: int
    scatter: float


@dataclass(frozen=True)
class Growth:
    """Describe the growth along one measure of size.

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
    """Return every line of a study that has three sizes.

    Parameters
    ----------
    cells : what `anisweep.tables.cells_table` gives
    """
    used = (cells["status"] == "ok") & (cells["role"] == "cell") & cells["wall_s"].notna()
    timed = cells.loc[used, cells.columns.intersection(USED)]
    if timed.empty:
        return []

    named = with_names(timed)
    return [*_with_size(named), *_with_frames(named), *_with_hypers(named)]


def _with_size(named: pd.DataFrame) -> Iterator[Growth]:
    sized = named[(named["pairs"] > 0) & (named["particles"] > 0)]
    hypers = _hypers(named)

    for _, rows in sized.groupby(["site", "output", "hypers", "series"]):
        family = of_one_kind(rows)

        for along, size in SIZES.items():
            chosen = _of_equal_size(family) if along == "species" else family
            where = _words(rows["output"]) + hypers[rows["hypers"].iloc[0]]
            yield from _line(chosen.assign(size=size(chosen)), along, where)


def _with_frames(named: pd.DataFrame) -> Iterator[Growth]:
    hypers = _hypers(named)

    for _, rows in named.groupby(["site", "dataset", "output", "hypers", "series"]):
        where = f"{rows['dataset'].iloc[0].replace('_', ' ')}, {_words(rows['output'])}"
        where += hypers[rows["hypers"].iloc[0]]
        yield from _line(rows.assign(size=rows["frames"].astype(float)), "frames", where)


def _hypers(named: pd.DataFrame) -> dict[str, str]:
    """Return what tells each set of hyperparameters from the others; it begins with a comma."""
    names = hypers_names(list(named["hypers"].unique()))
    return {text: f", {name}" if name else "" for text, name in names.items()}


def of_one_kind(rows: pd.DataFrame) -> pd.DataFrame:
    """Return the rows of one density of pairs: the most frequent one."""
    density = rows["pairs"].astype(float) / rows["particles"].astype(float)
    kinds = [(density / each - 1).abs() < ALIKE for each in density.unique()]
    most: pd.DataFrame = rows[max(kinds, key=lambda kind: kind.sum())]
    return most


def _of_equal_size(family: pd.DataFrame) -> pd.DataFrame:
    """Return the rows of the size with the most numbers of species; of several the largest."""
    species = family.groupby(["particles", "pairs"])["species"].nunique().sort_values(kind="stable")
    particles, pairs = species.index[-1]
    equal: pd.DataFrame = family[(family["particles"] == particles) & (family["pairs"] == pairs)]
    return equal


def _with_hypers(named: pd.DataFrame) -> Iterator[Growth]:
    lengths = named.groupby("dataset")["frames"].nunique()

    for name in HYPERS:
        for _, alike in along_hyper(named, name):
            for _, rows in alike.groupby("series"):
                where = f"{rows['dataset'].iloc[0].replace('_', ' ')}, {_words(rows['output'])}"
                if lengths[rows["dataset"].iloc[0]] > 1:
                    where += f", {counted(rows['frames'].iloc[0], 'frame')}"
                yield from _line(rows, hyper_in_short(name), where)


def along_hyper(table: pd.DataFrame, name: str) -> Iterator[tuple[Any, pd.DataFrame]]:
    """Yield groups of lines that differ in one hyperparameter and in how they are computed alone.

    Parameters
    ----------
    table : cells or summary; ``size`` becomes the value of the hyperparameter, where it is a number
    """
    sets = {text: json.loads(text) for text in table["hypers"].unique()}
    values = [sets[text].pop(name) for text in sets]
    size = pd.to_numeric(pd.Series(values, index=list(sets)), errors="coerce")
    others = {text: json.dumps(rest, sort_keys=True) for text, rest in sets.items()}

    marked = table.assign(size=table["hypers"].map(size), others=table["hypers"].map(others))
    yield from marked.dropna(subset=["size"]).groupby(["site", "dataset", "frames", "output", "others"])


def _line(rows: pd.DataFrame, along: str, where: str) -> Iterator[Growth]:
    """Yield the exponent of time along the column `size`, where there are enough sizes."""
    sized = rows[rows["size"] > 0]
    fitted = exponent(sized)
    if fitted is None:
        return

    one = sized.iloc[0]
    yield Growth(
        site=str(one["site"]),
        series=str(one["series"]),
        where=where,
        along=along,
        smallest=float(sized["size"].min()),
        largest=float(sized["size"].max()),
        points=fitted.points,
        exponent=fitted.over_replicates.mean,
        low=fitted.over_replicates.low,
        high=fitted.over_replicates.high,
        scatter=fitted.scatter,
        replicates=fitted.replicates,
        artifacts=tuple(sorted(sized["artifact"].unique())),
    )


def exponent(rows: pd.DataFrame) -> Exponent | None:
    """Fit the exponent p of ``wall_s`` ~ ``size``^p; ``None`` where no replicate has three sizes.

    Parameters
    ----------
    rows : with the columns ``size``, ``wall_s``, ``replicate`` and ``host``
    """
    sizes = rows.groupby("replicate")["size"].nunique()
    enough = rows.loc[
        rows["replicate"].isin(sizes.index[sizes >= LEAST]), ["replicate", "size", "wall_s", "host"]
    ]
    if enough.empty:
        return None

    numbers, places = np.unique(enough["replicate"].to_numpy(int), return_inverse=True)
    slopes, scatters = _fits(places, enough["size"].to_numpy(float), enough["wall_s"].to_numpy(float))
    return Exponent(
        over_replicates=interval(list(slopes), _hosts(enough)),
        replicates=len(numbers),
        points=int(np.bincount(places).max()),
        scatter=float(np.exp(np.sqrt(np.mean(np.square(scatters))))),
    )


def _fits(places: np.ndarray, sizes: np.ndarray, walls: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the slope of each replicate's line, and the root mean square distance from it.

    All at once, since a study may have a thousand replicates of hundreds of lines.
    """
    counts = np.bincount(places)

    def means(values: np.ndarray) -> np.ndarray:
        return np.bincount(places, values) / counts

    x, y = np.log(sizes), np.log(walls)
    x, y = x - means(x)[places], y - means(y)[places]
    slopes = means(x * y) / means(x * x)
    return slopes, np.sqrt(means((y - slopes[places] * x) ** 2))


def _hosts(rows: pd.DataFrame) -> list[str]:
    """Return the hosts of each replicate, in the order of replicates."""
    hosts: dict[int, set[str]] = defaultdict(set)
    for replicate, host in rows[["replicate", "host"]].drop_duplicates().itertuples(index=False):
        hosts[replicate].add(host)
    return [" ".join(sorted(hosts[replicate])) for replicate in sorted(hosts)]


def _words(output: pd.Series[Any]) -> str:
    return str(output.iloc[0]).replace("_", " ")
