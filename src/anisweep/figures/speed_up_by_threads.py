"""What more threads gain, and what happens when nobody pins them."""

from __future__ import annotations

import matplotlib.pyplot as plt
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from anisweep.cell import NOT_PINNED
from anisweep.figures._series import (
    NothingToDraw,
    Series,
    handles_of,
    legend_above,
    name_ticks,
    series_of,
)
from anisweep.parity import Gain, gains

TITLE = "Speed-up by threads"
CAPTION = (
    "Time with the fewest threads over time, for the smallest and the largest system of the study; bars are "
    "95 % intervals, cut where they leave the frame, and the axis is logarithmic. Not pinned: no library was "
    "told a number of threads."
)

#: Neighbouring marks, in widths of a step between numbers of threads.
APART = 0.08


def draw(cells: pd.DataFrame, summary: pd.DataFrame) -> Figure:
    compared = [gain for gain in gains(cells) if gain.ratio]
    if not compared:
        raise NothingToDraw("No cell of this study was measured with several numbers of threads.")

    systems = _smallest_and_largest(compared)
    shown = series_of(summary.dropna(subset=["wall_mean_s"]).assign(threads=1))
    figure, panels = plt.subplots(ncols=len(systems), sharey=True, squeeze=False, figsize=(6.0, 3.2))

    for axes, system in zip(panels[0], systems, strict=True):
        _draw_panel(axes, [gain for gain in compared if gain.system == system], shown)
        axes.set_title(system)

    values = [1 / gain.ratio.value for gain in compared if gain.ratio and gain.system in systems]
    panels[0, 0].set_yscale("log")
    panels[0, 0].set_ylim(min([0.7, *values]) / 1.3, 1.3 * max([1.5, *values]))
    name_ticks(panels[0, 0].yaxis)
    panels[0, 0].set_ylabel("speed-up")
    legend_above(figure, handles_of(shown))
    return figure


def _smallest_and_largest(compared: list[Gain]) -> list[str]:
    systems = [gain.system for gain in sorted(compared, key=lambda gain: gain.pairs)]
    return list(dict.fromkeys([systems[0], systems[-1]]))


def _draw_panel(axes: Axes, here: list[Gain], shown: list[Series]) -> None:
    in_order = sorted(here, key=lambda gain: (gain.threads == NOT_PINNED, gain.threads))
    ways = list(dict.fromkeys(gain.pinning for gain in in_order))
    axes.axhline(1.0, color="#1f2328", linestyle="--", linewidth=1.0)
    axes.set_xticks(range(len(ways)), [way.removesuffix(" thr.") for way in ways])
    axes.set_xlim(-0.5, len(ways) - 0.5)
    axes.set_xlabel("threads")
    axes.grid(axis="x", visible=False)

    for number, series in enumerate(shown):
        own = [gain for gain in here if gain.series == series.label]
        values = [1 / gain.ratio.value for gain in own if gain.ratio]
        ends = [(1 / gain.ratio.high, 1 / gain.ratio.low) for gain in own if gain.ratio]
        shift = APART * (number - (len(shown) - 1) / 2)

        axes.errorbar(
            [ways.index(gain.pinning) + shift for gain in own],
            values,
            yerr=[
                [max(0.0, value - low) for value, (low, _) in zip(values, ends, strict=True)],
                [max(0.0, high - value) for value, (_, high) in zip(values, ends, strict=True)],
            ],
            linestyle="",
            **series.look,
        )
