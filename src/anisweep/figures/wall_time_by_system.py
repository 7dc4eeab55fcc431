"""How long each mode takes on each system."""

from __future__ import annotations

import matplotlib.pyplot as plt
import pandas as pd
from matplotlib.figure import Figure

from anisweep.figures._series import (
    NothingToDraw,
    handles_of,
    legend_above,
    name_ticks,
    put_systems_on_y,
    series_of,
    times_of,
)
from anisweep.tables.names import with_names

TITLE = "Wall time by system"
CAPTION = (
    "Wall time of one descriptor computation, mean over replicates with its 95 % interval; "
    "the axis is logarithmic, and further left is faster."
)


def draw(cells: pd.DataFrame, summary: pd.DataFrame) -> Figure:
    timed = summary.dropna(subset=["wall_mean_s"])

    if timed.empty:
        raise NothingToDraw("No cell of this study has a time yet.")

    systems = with_names(timed)["system"].nunique()
    figure, axes = plt.subplots(figsize=(6.0, 1.15 + 0.46 * systems))
    positions = put_systems_on_y(axes, timed)

    shown = series_of(timed)
    for series in shown:
        mean, bars = times_of(series.lines)
        heights = [positions[system] + series.offset for system in series.lines["system"]]
        axes.errorbar(mean, heights, xerr=bars, linestyle="", **series.look)

    axes.set_xscale("log")
    name_ticks(axes.xaxis)
    axes.set_xlabel("wall time of one computation / ms")
    legend_above(figure, handles_of(shown))
    return figure
