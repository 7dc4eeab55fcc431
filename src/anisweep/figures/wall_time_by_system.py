"""How long each mode takes on each system."""

from __future__ import annotations

import matplotlib.pyplot as plt
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator

from anisweep.figures._series import NothingToDraw, Series, legend_above, put_systems_on_y, series_of

TITLE = "Wall time by system"
CAPTION = (
    "Wall time of one descriptor computation, mean over replicates with its 95 % interval; "
    "the axis is logarithmic, and further left is faster."
)


def draw(cells: pd.DataFrame, summary: pd.DataFrame) -> Figure:
    timed = summary.dropna(subset=["wall_mean_s"])

    if timed.empty:
        raise NothingToDraw("No cell of this study has a time yet.")

    systems = timed[["dataset", "output", "hypers"]].drop_duplicates()
    figure, axes = plt.subplots(figsize=(6.0, 1.15 + 0.46 * len(systems)))
    positions = put_systems_on_y(axes, timed)

    for series in series_of(timed):
        _draw_series(axes, series, positions)

    axes.set_xscale("log")
    low, high = axes.get_xlim()
    narrow = high / low < 3000
    axes.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5)) if narrow else LogLocator(numticks=7))
    axes.xaxis.set_major_formatter("{x:g}")
    axes.minorticks_off()
    axes.set_xlabel("wall time of one computation / ms")
    legend_above(figure, axes)
    return figure


def _draw_series(axes: Axes, series: Series, positions: dict[str, int]) -> None:
    lines = series.lines
    mean = 1e3 * lines["wall_mean_s"]

    # The interval is that of the geometric mean; many scattered times can leave their mean outside of it.
    below = (mean - 1e3 * lines["wall_low_s"]).fillna(0.0).clip(lower=0.0)
    above = (1e3 * lines["wall_high_s"] - mean).fillna(0.0).clip(lower=0.0)

    axes.errorbar(
        mean,
        [positions[system] + series.offset for system in lines["system"]],
        xerr=[below, above],
        fmt=series.mark,
        color=series.colour,
        label=series.label,
    )
