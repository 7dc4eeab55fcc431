"""Draw how long each mode takes on each system."""

from __future__ import annotations

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from anisweep.figures import NothingToDraw
from anisweep.figures._series import handles_of, legend_above, name_ticks, series_of, systems_on_y, times_of

TITLE = "Wall time by system"
CAPTION = (
    "Wall time of one computation, mean over replicates with its 95 % interval; "
    "the axis is logarithmic, and further left is faster. Very long bars are cut."
)

#: Bars are drawn up to this factor beyond all marks; of two scattered times they would be endless.
BEYOND = 5


def draw(cells: pd.DataFrame, summary: pd.DataFrame) -> Figure:
    """Draw the wall time of each mode, one line a system."""
    timed = summary.dropna(subset=["wall_mean_s"])

    if timed.empty:
        raise NothingToDraw("No cell of this study has a time yet.")

    figure, axes, positions = systems_on_y(timed, 1.15)

    shown = series_of(timed)
    for series in shown:
        mean, bars = times_of(series.lines)
        heights = [positions[system] + series.offset for system in series.lines["system"]]
        axes.errorbar(mean, heights, xerr=bars, linestyle="", **series.look)

    axes.set_xscale("log")
    _cut_bars(axes, 1e3 * timed["wall_mean_s"])
    name_ticks(axes.xaxis)
    axes.set_xlabel("wall time of one computation / ms")
    legend_above(figure, handles_of(shown))
    return figure


def _cut_bars(axes: Axes, means: pd.Series[float]) -> None:
    low, high = axes.get_xlim()
    axes.set_xlim(max(low, means.min() / BEYOND), min(high, means.max() * BEYOND))
