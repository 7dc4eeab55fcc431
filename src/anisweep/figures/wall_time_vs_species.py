"""How wall time changes with the number of species at constant N."""

from __future__ import annotations

import matplotlib.pyplot as plt
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator

from anisweep.figures._series import Series, series_of
from anisweep.figures._species import label_of_size, species_family

TITLE = "Wall time against species"
CAPTION = (
    "Wall time of the coefficients for the same particles and pairs labelled with more and more species; "
    "bars are 95 % intervals, and the axis is logarithmic."
)


def draw(cells: pd.DataFrame, summary: pd.DataFrame) -> Figure:
    family = species_family(summary)
    figure, axes = plt.subplots(figsize=(6.0, 3.4))

    for series in series_of(family):
        lines = _in_ms(series)
        axes.errorbar(
            lines["x"],
            lines["mean"],
            yerr=[lines["below"], lines["above"]],
            fmt=f"{series.mark}-",
            color=series.colour,
            label=series.label,
        )

    axes.set_yscale("log")
    axes.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    axes.yaxis.set_major_formatter("{x:g}")
    axes.minorticks_off()
    axes.set_xticks(sorted(family["species"].unique()))
    axes.set_xlabel(label_of_size(family))
    axes.set_ylabel("wall time of one computation / ms")
    axes.grid(axis="x", visible=False)
    axes.margins(x=0.06)
    axes.legend(loc="center left", bbox_to_anchor=(1.0, 0.5))
    return figure


def _in_ms(series: Series) -> pd.DataFrame:
    lines = series.lines.sort_values("species")
    mean = 1e3 * lines["wall_mean_s"]

    return pd.DataFrame(
        {
            "x": lines["species"].astype(float) + 0.4 * series.offset,
            "mean": mean,
            "below": (mean - 1e3 * lines["wall_low_s"]).fillna(0.0).clip(lower=0.0),
            "above": (1e3 * lines["wall_high_s"] - mean).fillna(0.0).clip(lower=0.0),
        }
    )
