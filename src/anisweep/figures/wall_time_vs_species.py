"""Draw how wall time changes with the number of species at constant N."""

from __future__ import annotations

import matplotlib.pyplot as plt
import pandas as pd
from matplotlib.figure import Figure

from anisweep.figures._series import draw_line, legend_beside, name_ticks, series_of
from anisweep.figures._species import BESIDE, label_of_size, side_by_side, species_family

TITLE = "Wall time against species"
CAPTION = (
    "Wall time of the coefficients for the same particles and pairs labelled with more and more species; "
    "bars are 95 % intervals, and the axis is logarithmic."
)


def draw(cells: pd.DataFrame, summary: pd.DataFrame) -> Figure:
    """Draw wall time against the number of species."""
    family = species_family(summary)
    figure, axes = plt.subplots(figsize=(6.0, 3.4))

    shown = series_of(family)
    for series in shown:
        draw_line(axes, side_by_side(series), BESIDE)

    axes.set_yscale("log")
    name_ticks(axes.yaxis)
    axes.set_xticks(sorted(family["species"].unique()))
    axes.set_xlabel(label_of_size(family))
    axes.set_ylabel("wall time of one computation / ms")
    axes.grid(axis="x", visible=False)
    axes.margins(x=0.06)
    legend_beside(axes, shown)
    return figure
