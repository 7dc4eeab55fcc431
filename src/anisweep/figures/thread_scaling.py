"""Draw what more threads gain, and what happens when nobody pins them."""

from __future__ import annotations

import matplotlib.pyplot as plt
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from anisweep.analysis.thread_scaling import ScalingPoint, scaling_points
from anisweep.cell import NOT_PINNED
from anisweep.figures import NothingToDraw
from anisweep.figures._series import Series, handles_of, legend_above, name_ticks, series_of

TITLE = "Speed-up by threads"
CAPTION = (
    "Time with the fewest threads over time, for the smallest and the largest system of the study; bars are "
    "95 % intervals, cut where they leave the frame, and the axis is logarithmic. Not pinned: no library was "
    "told a number of threads."
)

#: Neighbouring marks, in widths of a step between numbers of threads.
APART = 0.08


def draw(cells: pd.DataFrame, summary: pd.DataFrame) -> Figure:
    """Draw the speed-up by threads, for the smallest and the largest system."""
    compared = [point for point in scaling_points(cells) if point.ratio]
    if not compared:
        raise NothingToDraw("No cell of this study was measured with several numbers of threads.")

    systems = _smallest_and_largest(compared)
    shown = series_of(summary.dropna(subset=["wall_mean_s"]).assign(threads=1))
    figure, panels = plt.subplots(ncols=len(systems), sharey=True, squeeze=False, figsize=(6.0, 3.2))

    for axes, system in zip(panels[0], systems, strict=True):
        _draw_panel(axes, [point for point in compared if point.system == system], shown)
        axes.set_title(system)

    values = [1 / point.ratio.value for point in compared if point.ratio and point.system in systems]
    panels[0, 0].set_yscale("log")
    panels[0, 0].set_ylim(min([0.7, *values]) / 1.3, 1.3 * max([1.5, *values]))
    name_ticks(panels[0, 0].yaxis)
    panels[0, 0].set_ylabel("speed-up")
    legend_above(figure, handles_of(shown))
    return figure


def _smallest_and_largest(compared: list[ScalingPoint]) -> list[str]:
    systems = [point.system for point in sorted(compared, key=lambda point: point.pairs)]
    return list(dict.fromkeys([systems[0], systems[-1]]))


def _draw_panel(axes: Axes, here: list[ScalingPoint], shown: list[Series]) -> None:
    in_order = sorted(here, key=lambda point: (point.threads == NOT_PINNED, point.threads))
    ways = list(dict.fromkeys(point.pinning for point in in_order))
    axes.axhline(1.0, color="#1f2328", linestyle="--", linewidth=1.0)
    axes.set_xticks(range(len(ways)), [way.removesuffix(" thr.") for way in ways])
    axes.set_xlim(-0.5, len(ways) - 0.5)
    axes.set_xlabel("threads")
    axes.grid(axis="x", visible=False)

    for number, series in enumerate(shown):
        own = [point for point in here if point.series == series.label]
        values = [1 / point.ratio.value for point in own if point.ratio]
        ends = [(1 / point.ratio.high, 1 / point.ratio.low) for point in own if point.ratio]
        shift = APART * (number - (len(shown) - 1) / 2)

        axes.errorbar(
            [ways.index(point.pinning) + shift for point in own],
            values,
            yerr=[
                [max(0.0, value - low) for value, (low, _) in zip(values, ends, strict=True)],
                [max(0.0, high - value) for value, (_, high) in zip(values, ends, strict=True)],
            ],
            linestyle="",
            **series.look,
        )
