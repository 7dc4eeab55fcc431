"""Draw what less precision gains in time, and what it costs in accuracy."""

from __future__ import annotations

import matplotlib.pyplot as plt
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from anisweep.figures import NothingToDraw
from anisweep.figures._series import Series, handles_of, legend_above, name_ticks, series_of
from anisweep.tables.names import with_names

TITLE = "Error against time"
CAPTION = (
    "Largest difference from the reference, relative to its largest number, against the wall time of one "
    "computation, for the largest systems of the study; lower and further left is better, and identical "
    "answers stand on the lowest line."
)

#: Where an error of exactly zero is drawn: below anything that rounding in double precision leaves.
ZERO = 1e-18
MOST_SYSTEMS = 4


def draw(cells: pd.DataFrame, summary: pd.DataFrame) -> Figure:
    """Draw error against time, one panel a system."""
    known = summary.dropna(subset=["wall_mean_s", "max_relative_error"])

    if known["precision"].nunique() < 2:
        raise NothingToDraw("This study has times in one precision alone.")

    by_size = with_names(known).sort_values("pairs", ascending=False, kind="stable")
    systems = list(dict.fromkeys(by_size["system"]))[:MOST_SYSTEMS]
    rows = -(-len(systems) // 2)
    figure, grid = plt.subplots(rows, 2, sharey=True, squeeze=False, figsize=(6.0, 0.9 + 2.0 * rows))
    everyone = series_of(known)

    for axes, system in zip(grid.flat, systems, strict=False):
        _draw_panel(axes, everyone, system)
    for axes in list(grid.flat)[len(systems) :]:
        axes.set_axis_off()

    _name_errors(grid[0, 0], float(known["max_relative_error"].max()))
    figure.supxlabel("wall time of one computation / ms", fontsize="medium")
    figure.supylabel("max |difference| / max |reference|", fontsize="medium")
    legend_above(figure, handles_of(everyone))
    return figure


def _draw_panel(axes: Axes, everyone: list[Series], system: str) -> None:
    for series in everyone:
        lines = series.lines[series.lines["system"] == system]
        axes.plot(
            1e3 * lines["wall_mean_s"],
            lines["max_relative_error"].clip(lower=ZERO),
            linestyle="",
            clip_on=False,
            **series.look,
        )

    axes.set_title(system)
    axes.set_xscale("log")
    axes.set_yscale("log")
    name_ticks(axes.xaxis, most=30)
    axes.grid(axis="y", visible=True)


def _name_errors(axes: Axes, largest: float) -> None:
    """Label the axis of errors, which the panels share."""
    decades = [decade for decade in (-16, -12, -8, -4, 0) if 10.0**decade < 1e3 * max(largest, 1e-13)]
    axes.set_ylim(ZERO / 3, 30 * max(largest, 1e-14))
    axes.set_yticks([ZERO, *(10.0**decade for decade in decades)], ["0", *(f"1e{d}" for d in decades)])
    axes.minorticks_off()
