"""Draw how time and error grow with the hyperparameters."""

from __future__ import annotations

from dataclasses import replace

import matplotlib.pyplot as plt
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from anisweep.analysis.growth import HYPERS, LEAST, along_hyper
from anisweep.figures import NothingToDraw
from anisweep.figures._series import Series, draw_line, handles_of, legend_above, name_ticks, series_of
from anisweep.tables.names import hyper_in_short

TITLE = "Growth with the hyperparameters"
CAPTION = (
    "Wall time of one computation (above, with 95 % intervals) and largest difference from the reference, "
    "relative to its largest number (below), against one hyperparameter while the others stand; of several "
    "data sets that with the most pairs is drawn."
)

UNITS = {"cutoff_radius": " / Å"}


def draw(cells: pd.DataFrame, summary: pd.DataFrame) -> Figure:
    """Draw time and error against each hyperparameter that has enough values."""
    known = summary["wall_mean_s"].notna() | summary["max_relative_error"].notna()  # a wrong one has no time
    measured = summary[(summary["output"] == "coefficients") & known]
    found = {name: _longest(measured, name) for name in HYPERS}
    drawn = {name: rows.assign(along=name) for name, rows in found.items() if not rows.empty}
    if not drawn:
        raise NothingToDraw(f"This study has no coefficients for {LEAST} values of one hyperparameter.")

    shown = series_of(pd.concat(drawn.values(), ignore_index=True))
    figure, panels = plt.subplots(
        2, len(drawn), sharex="col", sharey="row", squeeze=False, height_ratios=[3, 2], figsize=(6.0, 4.4)
    )

    for column, (name, rows) in enumerate(drawn.items()):
        for series in shown:
            own = replace(series, lines=series.lines[series.lines["along"] == name])
            _draw_series(panels[0, column], panels[1, column], own)

        panels[1, column].set_xticks(sorted(rows["size"].unique()))
        panels[1, column].xaxis.set_major_formatter("{x:g}")
        panels[1, column].set_xlabel(hyper_in_short(name) + UNITS.get(name, ""))

    panels[0, 0].set_yscale("log")
    name_ticks(panels[0, 0].yaxis)
    panels[0, 0].set_ylabel("wall time / ms")
    panels[1, 0].set_yscale("log")
    panels[1, 0].set_ylabel("difference")
    legend_above(figure, handles_of(shown, lines=True))
    return figure


def _longest(measured: pd.DataFrame, name: str) -> pd.DataFrame:
    """Return the lines along one hyperparameter: of several sets that with the most values, then pairs."""
    sets = [rows for _, rows in along_hyper(measured, name) if rows["size"].nunique() >= LEAST]
    return max(
        sets, key=lambda rows: (rows["size"].nunique(), rows["pairs"].max()), default=measured.iloc[:0]
    )


def _draw_series(times: Axes, errors: Axes, series: Series) -> None:
    """Draw times and errors of one series.

    An error of exactly zero has no place on a logarithmic axis: that of the reference is left out.
    """
    draw_line(times, series, "size")
    lines = series.lines.sort_values("size")
    other = lines[lines["max_relative_error"] > 0]
    errors.plot(other["size"], other["max_relative_error"], linestyle=series.stroke, **series.look)
