"""Draw how time / N^2 changes with the number of species at constant N."""

from __future__ import annotations

import matplotlib.pyplot as plt
import pandas as pd
from matplotlib.figure import Figure

from anisweep.figures._series import draw_line, legend_beside, series_of
from anisweep.figures._species import BESIDE, label_of_size, side_by_side, species_family

TITLE = "Scaling with species"
CAPTION = (
    "Wall time of the coefficients over N², for the same particles and pairs labelled with more and more "
    "species; bars are 95 % intervals, cut where they leave the frame."
)


def draw(cells: pd.DataFrame, summary: pd.DataFrame) -> Figure:
    """Draw time / N^2 against the number of species."""
    family = species_family(summary)
    figure, axes = plt.subplots(figsize=(6.0, 3.4))

    shown = series_of(family)
    for series in shown:
        microseconds = 1e6 / series.lines["particles"].astype("float64") ** 2
        draw_line(axes, side_by_side(series), BESIDE, microseconds)

    axes.set_xticks(sorted(family["species"].unique()))
    axes.set_xlabel(label_of_size(family))
    axes.set_ylabel("time / N² in µs")
    axes.set_ylim(0, min(axes.get_ylim()[1], _twice_the_largest(family)))
    axes.grid(axis="x", visible=False)
    axes.margins(x=0.06)
    legend_beside(axes, shown)
    return figure


def _twice_the_largest(family: pd.DataFrame) -> float:
    """Return twice the largest time / N^2, in µs, as the end of the axis.

    The interval of two or three scattered times would press all marks against the axis.
    """
    return float(2e6 * (family["wall_mean_s"] / family["particles"].astype("float64") ** 2).max())
