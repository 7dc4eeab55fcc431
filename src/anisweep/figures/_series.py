"""Define what all figures share: colours, marks and order of the series, their times, and legends."""

from __future__ import annotations

import textwrap
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import matplotlib.pyplot as plt
import pandas as pd
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import LogLocator, NullLocator

from anisweep.tables.names import series_in_order, with_names

Fill = Literal["full", "none", "left", "bottom"]
Stroke = Literal["-", "--", ":", "-."]

#: Okabe and Ito's colours, told apart by colour-blind readers; the marks tell them apart in grey.
COLOURS = ["#1f2328", "#d55e00", "#0072b2", "#009e73", "#cc79a7", "#e69f00", "#56b4e9"]
MARKS = ["o", "s", "^", "D", "v", "P", "X"]

#: Inside of the marks and stroke of the lines: of one mode in several precisions, on several devices, ...
FILLS: list[Fill] = ["full", "none", "left", "bottom"]
STROKES: list[Stroke] = ["-", "--", ":", "-."]

#: Four labels of so many letters fit beside each other.
SHORT = 14

#: Names of systems with more letters take two lines.
WIDE = 28

#: Height of a system, and of each series in it, in inches.
LEAST_HEIGHT = 0.46
HEIGHT = 0.08

#: Height of a line of the legend in inches; there is room for two.
LINE = 0.2


@dataclass(frozen=True)
class Series:
    """Hold the lines of a summary that share one look.

    Attributes
    ----------
    mode, variant : its name in two parts; the variant says precision, device, ... where they differ
    offset : keeps its marks apart from the others'
    """

    label: str
    mode: str
    variant: str
    colour: str
    mark: str
    fill: Fill
    stroke: Stroke
    offset: float
    lines: pd.DataFrame

    @property
    def look(self) -> dict[str, Any]:
        """Return the look of its marks, as matplotlib's keywords."""
        return {"color": self.colour, "marker": self.mark, "fillstyle": self.fill}


def series_of(summary: pd.DataFrame) -> list[Series]:
    """Return one entry for each mode (and precision, device, ... where they differ), the reference first.

    A mode has one colour and mark, and each of its variants a fill. Where there are more variants than fills,
    each series has a colour and mark of its own.
    """
    named = with_names(summary)
    labels = series_in_order(named)
    mode_of = dict(zip(named["series"], named["mode"], strict=True))
    variant_of = {label: label.removeprefix(mode_of[label]).strip() for label in labels}

    modes = list(dict.fromkeys(mode_of[label] for label in labels))
    variants = _most_frequent_first([variant_of[label] for label in labels])
    step = min(0.19, 0.7 / max(len(labels), 1))
    entries = []

    for number, label in enumerate(labels):
        few = len(variants) <= len(FILLS)
        k = modes.index(mode_of[label]) if few else number
        style = variants.index(variant_of[label]) if few else 0
        entries.append(
            Series(
                label=label,
                mode=mode_of[label] if few else label,
                variant=variant_of[label] if few else "",
                colour=COLOURS[k % len(COLOURS)],
                mark=MARKS[(k + k // len(COLOURS)) % len(MARKS)],  # no two look the same, up to 49
                fill=FILLS[style],
                stroke=STROKES[style],
                offset=(number - (len(labels) - 1) / 2) * step,
                lines=named[named["series"] == label],
            )
        )
    return entries


def _most_frequent_first(variants: Sequence[str]) -> list[str]:
    """Return the variants, most frequent first after the reference's, which is filled in any case."""
    return list(dict.fromkeys([variants[0], *(name for name, _ in Counter(variants).most_common())]))


def name_ticks(axis: Axis, most: float = 300) -> None:
    """Label a logarithmic axis with 1, 2, 5, 10, ..., and a long one with decades alone.

    Parameters
    ----------
    most : largest number / smallest up to which there is space for 2 and 5
    """
    low, high = axis.get_view_interval()
    axis.set_major_locator(LogLocator(subs=(1, 2, 5)) if high / low < most else LogLocator(numticks=7))
    axis.set_major_formatter("{x:,g}")
    axis.set_minor_locator(NullLocator())


def times_of(lines: pd.DataFrame, scale: float = 1e3) -> tuple[Any, list[Any]]:
    """Return mean wall times, and the lengths of their bars below and above.

    ``scale`` turns seconds into the unit of the axis.

    The interval is that of the geometric mean; many scattered times can leave their mean outside of it.
    """
    mean = scale * lines["wall_mean_s"]
    below = (mean - scale * lines["wall_low_s"]).fillna(0.0).clip(lower=0.0)
    above = (scale * lines["wall_high_s"] - mean).fillna(0.0).clip(lower=0.0)
    return mean, [below, above]


def draw_line(axes: Axes, series: Series, along: str, scale: float = 1e3) -> None:
    """Draw the wall times of a series, upwards, against a column of its lines."""
    lines = series.lines.sort_values(along)
    mean, bars = times_of(lines, scale)
    axes.errorbar(lines[along].astype(float), mean, yerr=bars, linestyle=series.stroke, **series.look)


def systems_on_y(summary: pd.DataFrame, margin: float) -> tuple[Figure, Axes, dict[str, int]]:
    """Make a figure whose vertical axis has the systems, the simplest on top; return each one's position.

    Parameters
    ----------
    margin : height of what is no system, in inches; each system is as high as its series need
    """
    named = with_names(summary)
    systems = list(dict.fromkeys(named["system"]))
    height = max(LEAST_HEIGHT, HEIGHT * named["series"].nunique())
    figure, axes = plt.subplots(figsize=(6.0, margin + height * len(systems)))

    axes.set_yticks(range(len(systems)), [textwrap.fill(system, WIDE) for system in systems])
    axes.set_ylim(len(systems) - 0.45, -0.55)
    axes.tick_params(axis="y", length=0)
    axes.grid(axis="y", visible=False)

    for boundary in range(1, len(systems)):
        axes.axhline(boundary - 0.5, color="#8c959f", alpha=0.35, linewidth=0.6)

    return figure, axes, {system: position for position, system in enumerate(systems)}


def handles_of(series: Sequence[Series], lines: bool = False) -> list[Line2D]:
    """Return what a legend shows: every mode, then, if there are several, every variant in grey.

    Parameters
    ----------
    lines : whether marks are joined by lines
    """
    modes = {each.mode: each for each in reversed(series)}
    variants = {each.variant: each for each in sorted(series, key=lambda each: FILLS.index(each.fill))}

    of_modes = [
        Line2D([], [], color=each.colour, marker=each.mark, linestyle="-" if lines else "", label=name)
        for name, each in reversed(modes.items())
    ]
    of_variants = [
        Line2D(
            [],
            [],
            color="#6e7781",
            marker="o",
            fillstyle=each.fill,
            linestyle=each.stroke if lines else "",
            label=name,
        )
        for name, each in variants.items()
    ]
    return of_modes + (of_variants if len(variants) > 1 else [])


def legend_above(figure: Figure, handles: Sequence[Artist]) -> None:
    """Put the legend above everything, where it hides no mark."""
    labels = [str(handle.get_label()) for handle in handles]
    columns = 4 if max(map(len, labels), default=0) <= SHORT else 2
    further_lines = max(0, -(-len(labels) // columns) - 2)

    width, height = figure.get_size_inches()
    figure.set_size_inches(width, height + LINE * further_lines)
    figure.legend(handles, labels, loc="outside upper left", ncols=columns)


def legend_beside(axes: Axes, series: Sequence[Series]) -> None:
    """Put the legend of lines at the right."""
    axes.legend(handles=handles_of(series, lines=True), loc="center left", bbox_to_anchor=(1.0, 0.5))
