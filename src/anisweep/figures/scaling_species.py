"""How time / N^2 changes with the number of species at constant N."""

from __future__ import annotations

import matplotlib.pyplot as plt
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from anisweep.figures._series import NothingToDraw, Series, series_of

TITLE = "Scaling with species"
CAPTION = (
    "Wall time of the coefficients over N², for the same particles and pairs labelled with more and more "
    "species; bars are 95 % intervals, cut where they leave the frame."
)

#: What data sets have in common that differ in nothing but species.
SIZE = ["frames", "particles", "pairs"]


def draw(cells: pd.DataFrame, summary: pd.DataFrame) -> Figure:
    family = species_family(summary)

    if family.empty:
        raise NothingToDraw("This figure needs data sets of equal size with different numbers of species.")

    figure, axes = plt.subplots(figsize=(6.0, 3.4))

    for series in series_of(family):
        _draw_series(axes, series)

    axes.set_xticks(sorted(family["species"].unique()))
    one = family.iloc[0]
    axes.set_xlabel(f"number of species (N = {one['particles']} particles, {one['pairs']:,} pairs)")
    axes.set_ylabel("time / N² in µs")
    axes.set_ylim(0, min(axes.get_ylim()[1], _twice_the_largest(family)))
    axes.grid(axis="x", visible=False)
    axes.margins(x=0.06)
    axes.legend(loc="center left", bbox_to_anchor=(1.0, 0.5))
    return figure


def species_family(summary: pd.DataFrame) -> pd.DataFrame:
    """The lines of the data sets that differ in nothing but species: the largest such family."""
    timed = summary.dropna(subset=["wall_mean_s", *SIZE])
    timed = timed[timed["output"] == "coefficients"]

    families = timed.groupby(SIZE)["species"].nunique()
    families = families[families > 1]

    if families.empty:
        return timed.iloc[:0]

    largest = families.sort_values(kind="stable").tail(1).reset_index()[SIZE]
    return timed.merge(largest, on=SIZE)


def _twice_the_largest(family: pd.DataFrame) -> float:
    """In µs. The interval of two or three scattered times would press all marks against the axis."""
    return float(2e6 * (family["wall_mean_s"] / family["particles"].astype("float64") ** 2).max())


def _draw_series(axes: Axes, series: Series) -> None:
    lines = series.lines.sort_values("species")
    microseconds = 1e6 / lines["particles"].astype("float64") ** 2
    mean = lines["wall_mean_s"] * microseconds
    below = (mean - lines["wall_low_s"] * microseconds).fillna(0.0).clip(lower=0.0)
    above = (lines["wall_high_s"] * microseconds - mean).fillna(0.0).clip(lower=0.0)

    axes.errorbar(
        lines["species"].astype(float) + 0.4 * series.offset,
        mean,
        yerr=[below, above],
        fmt=f"{series.mark}-",
        color=series.colour,
        label=series.label,
    )
