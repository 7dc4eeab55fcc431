"""Draw how far each mode is from the reference."""

from __future__ import annotations

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from anisweep.figures import NothingToDraw
from anisweep.figures._series import handles_of, legend_above, series_of, systems_on_y

TITLE = "Fidelity"
CAPTION = (
    "Largest difference from the reference mode, relative to the largest number of the reference; a mark "
    "right of the dashed bound of its precision, named above, is a wrong answer; identical answers stand at "
    "the left."
)

#: Where an error of exactly zero is drawn: below anything that rounding in double precision leaves.
ZERO = 1e-18


def draw(cells: pd.DataFrame, summary: pd.DataFrame) -> Figure:
    """Draw the largest relative error of each mode on each system."""
    compared = summary.dropna(subset=["max_relative_error"])

    if compared.empty:
        raise NothingToDraw("No cell of this study has been compared with the reference yet.")

    figure, axes, positions = systems_on_y(compared, 1.15)

    shown = series_of(compared)
    for series in shown:
        axes.plot(
            series.lines["max_relative_error"].clip(lower=ZERO),
            [positions[system] + series.offset for system in series.lines["system"]],
            linestyle="",
            clip_on=False,
            **series.look,
        )

    largest = max(compared["max_relative_error"].max(), compared["bound"].max())
    axes.set_xscale("log")
    axes.set_xlim(ZERO / 3, 30 * max(float(np.nan_to_num(largest)), 1e-10))
    _name_ticks(axes)
    _draw_bounds(axes, compared)
    axes.set_xlabel("max |difference| / max |reference|")
    legend_above(figure, handles_of(shown))
    return figure


def _name_ticks(axes: Axes) -> None:
    decades = [-16, -14, -12, -10, -8, -6, -4, -2, 0]
    shown = [decade for decade in decades if 10.0**decade <= axes.get_xlim()[1]]
    axes.set_xticks([ZERO, *(10.0**d for d in shown)], ["0", *(f"1e{d}" for d in shown)])
    axes.minorticks_off()


def _draw_bounds(axes: Axes, compared: pd.DataFrame) -> None:
    bounds = compared.dropna(subset=["bound"])

    for bound in sorted(bounds["bound"].unique()):
        precisions = ", ".join(sorted(bounds.loc[bounds["bound"] == bound, "precision"].unique()))
        axes.axvline(bound, color="#1f2328", linestyle="--", linewidth=1.2)
        axes.annotate(
            precisions,
            xy=(bound, 1.0),
            xycoords=("data", "axes fraction"),
            xytext=(0, 2),
            textcoords="offset points",
            horizontalalignment="center",
            verticalalignment="bottom",
            fontsize=9.5,
        )
