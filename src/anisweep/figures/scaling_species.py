"""How time / N^2 changes with the number of species at constant N."""

from __future__ import annotations

import matplotlib.pyplot as plt
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from anisweep.figures._series import Series, series_of
from anisweep.figures._species import label_of_size, species_family

TITLE = "Scaling with species"
CAPTION = (
    "Wall time of the coefficients over N², for the same particles and pairs labelled with more and more "
    "species; bars are 95 % intervals, cut where they leave the frame."
)


def draw(cells: pd.DataFrame, summary: pd.DataFrame) -> Figure:
    family = species_family(summary)
    figure, axes = plt.subplots(figsize=(6.0, 3.4))

    for series in series_of(family):
        _draw_series(axes, series)

    axes.set_xticks(sorted(family["species"].unique()))
    axes.set_xlabel(label_of_size(family))
    axes.set_ylabel("time / N² in µs")
    axes.set_ylim(0, min(axes.get_ylim()[1], _twice_the_largest(family)))
    axes.grid(axis="x", visible=False)
    axes.margins(x=0.06)
    axes.legend(loc="center left", bbox_to_anchor=(1.0, 0.5))
    return figure


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
