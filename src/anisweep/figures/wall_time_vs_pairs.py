"""Draw how wall time grows with the size of the problem."""

from __future__ import annotations

import matplotlib.pyplot as plt
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from anisweep.analysis.growth import LEAST, of_one_kind
from anisweep.figures import NothingToDraw
from anisweep.figures._series import draw_line, legend_beside, name_ticks, series_of

TITLE = "Wall time against size"
CAPTION = (
    "Wall time of one computation against the number of neighbour pairs, for data sets that differ in size; "
    "bars are 95 % intervals, and both axes are logarithmic. The grey line is proportional to the pairs."
)


def draw(cells: pd.DataFrame, summary: pd.DataFrame) -> Figure:
    """Draw wall time against the number of pairs, for data sets that differ in size alone."""
    timed = summary.dropna(subset=["wall_mean_s", "pairs"])
    timed = timed[(timed["output"] == "coefficients") & (timed["pairs"] > 0)]
    families = [of_one_kind(rows) for _, rows in timed.groupby(["species", "hypers"])]
    family = max(families, key=lambda rows: rows["pairs"].nunique(), default=timed)

    if family["pairs"].nunique() < LEAST:
        raise NothingToDraw(f"No {LEAST} data sets of this study differ in size alone.")

    figure, axes = plt.subplots(figsize=(6.0, 3.4))

    shown = series_of(family)
    for series in shown:
        draw_line(axes, series, "pairs")

    _draw_proportional(axes, family)
    axes.set_xscale("log")
    axes.set_yscale("log")
    name_ticks(axes.xaxis)
    name_ticks(axes.yaxis)
    axes.set_xlabel(f"neighbour pairs ({_species(family)})")
    axes.set_ylabel("wall time of one computation / ms")
    legend_beside(axes, shown)
    return figure


def _draw_proportional(axes: Axes, family: pd.DataFrame) -> None:
    """Draw a line of proportional growth through the slowest time at the largest size."""
    pairs = sorted(family["pairs"].astype(float).unique())
    top = 1e3 * family[family["pairs"] == family["pairs"].max()]["wall_mean_s"].max()
    axes.plot(pairs, [top * value / pairs[-1] for value in pairs], color="#8c959f", linewidth=0.8, zorder=0)


def _species(family: pd.DataFrame) -> str:
    count = int(family["species"].iloc[0])
    return "one species" if count == 1 else f"{count} species"
