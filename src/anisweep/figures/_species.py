"""Select data sets that differ only in species."""

from __future__ import annotations

from dataclasses import replace

import matplotlib.pyplot as plt
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from anisweep.figures import NothingToDraw
from anisweep.figures._series import draw_line, legend_beside, series_of

#: What such data sets have in common.
SIZE = ["frames", "particles", "pairs"]


def species_family(summary: pd.DataFrame) -> pd.DataFrame:
    """Return the lines of data sets that differ in species alone, for the coefficients.

    Of several such families it is the largest.

    Raises
    ------
    NothingToDraw
        when there are no two of them
    """
    timed = summary.dropna(subset=["wall_mean_s", *SIZE])
    timed = timed[timed["output"] == "coefficients"]

    families = timed.groupby(SIZE)["species"].nunique()
    families = families[families > 1]

    if families.empty:
        raise NothingToDraw(
            "No two data sets of this study have equal size and different numbers of species."
        )

    largest = families.sort_values(kind="stable").tail(1).reset_index()[SIZE]
    return timed.merge(largest, on=SIZE)


def draw_against_species(family: pd.DataFrame, scale: float = 1e3) -> tuple[Figure, Axes]:
    """Draw wall times against the number of species, moved a little so that marks do not cover each other."""
    figure, axes = plt.subplots(figsize=(6.0, 3.4))

    shown = series_of(family)
    for series in shown:
        moved = series.lines["species"].astype(float) + 0.4 * series.offset
        draw_line(axes, replace(series, lines=series.lines.assign(moved=moved)), "moved", scale)

    one = family.iloc[0]
    axes.set_xticks(sorted(family["species"].unique()))
    axes.set_xlabel(f"number of species (N = {one['particles']} particles, {one['pairs']:,} pairs)")
    axes.grid(axis="x", visible=False)
    axes.margins(x=0.06)
    legend_beside(axes, shown)
    return figure, axes
