"""What all figures share: the colour, mark and order of each series."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from anisweep.tables.names import series_in_order, with_names

#: Okabe and Ito's colours, told apart by colour-blind readers; the marks tell them apart in grey.
COLOURS = ["#1f2328", "#d55e00", "#0072b2", "#009e73", "#cc79a7", "#e69f00", "#56b4e9"]
MARKS = ["o", "s", "^", "D", "v", "P", "X"]


#: Four labels of so many letters fit beside each other.
SHORT = 14

#: Height of a line of the legend in inches; there is room for two.
LINE = 0.2


class NothingToDraw(Exception):
    """The study holds nothing for this figure. The message says why, in words for the reader."""


@dataclass(frozen=True)
class Series:
    """The lines of a summary that share one look; ``offset`` keeps its marks apart from the others'."""

    label: str
    colour: str
    mark: str
    offset: float
    lines: pd.DataFrame


def series_of(summary: pd.DataFrame) -> list[Series]:
    """One entry for each mode (and precision, device, ... where they differ); the anchor comes first."""
    named = with_names(summary)
    labels = series_in_order(named)
    step = min(0.19, 0.7 / max(len(labels), 1))

    return [
        Series(
            label=label,
            colour=COLOURS[k % len(COLOURS)],
            mark=MARKS[(k + k // len(COLOURS)) % len(MARKS)],  # no two look the same, up to 49
            offset=(k - (len(labels) - 1) / 2) * step,
            lines=named[named["series"] == label],
        )
        for k, label in enumerate(labels)
    ]


def put_systems_on_y(axes: Axes, summary: pd.DataFrame) -> dict[str, int]:
    """Label the vertical axis with the systems, the simplest on top; gives the position of each."""
    systems = list(dict.fromkeys(with_names(summary)["system"]))
    axes.set_yticks(range(len(systems)), systems)
    axes.set_ylim(len(systems) - 0.45, -0.55)
    axes.tick_params(axis="y", length=0)
    axes.grid(axis="y", visible=False)

    for boundary in range(1, len(systems)):
        axes.axhline(boundary - 0.5, color="#8c959f", alpha=0.35, linewidth=0.6)

    return {system: position for position, system in enumerate(systems)}


def legend_above(figure: Figure, axes: Axes) -> None:
    """Put the legend above everything, where it hides no mark."""
    handles, labels = axes.get_legend_handles_labels()
    columns = 4 if max(map(len, labels), default=0) <= SHORT else 2
    further_lines = max(0, -(-len(labels) // columns) - 2)

    width, height = figure.get_size_inches()
    figure.set_size_inches(width, height + LINE * further_lines)
    figure.legend(handles, labels, loc="outside upper left", ncols=columns)
