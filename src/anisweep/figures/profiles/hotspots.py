"""Draw the functions that take the most time, mode by mode."""

from __future__ import annotations

import matplotlib.pyplot as plt
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from anisweep.figures.profiles._modes import INK, panels
from anisweep.formatting import counted, time_with_unit

TITLE = "Hotspots"
CAPTION = (
    "Share of each function in one call under cProfile: in itself (dark, with the standard deviation over "
    "replicates) and with all that it calls (light); behind it time in itself and calls. Imports are no part."
)

MOST = 7
DARK = "#0072b2"
LIGHT = "#c9e2f2"


def draw(lines: pd.DataFrame, folder: object) -> Figure:
    """Draw the functions with the longest own time, one panel a mode."""
    modes = list(panels(lines))
    size = (6.0, 0.9 + len(modes) * (0.75 + 0.19 * MOST))
    figure, axes = plt.subplots(len(modes), sharex=True, squeeze=False, figsize=size)

    for panel, (mode, group) in zip(axes[:, 0], modes, strict=True):
        _draw_panel(panel, mode, group)

    axes[-1, 0].set_xlabel("share of the profiled time / %")
    return figure


def _draw_panel(axes: Axes, mode: str, lines: pd.DataFrame) -> None:
    top = longest(lines)
    places = list(range(len(top)))
    axes.barh(places, top["cumulative"], 0.78, color=LIGHT, edgecolor=INK, linewidth=0.5)
    axes.barh(places, top["own"], 0.42, color=DARK, xerr=top["spread"].fillna(0.0), ecolor=INK)

    ends = top["cumulative"].clip(lower=top["own"] + top["spread"].fillna(0.0))
    for place, end, seconds, calls in zip(places, ends, top["self_s"], top["calls"], strict=True):
        axes.text(
            end + 1.5,
            place,
            f"{time_with_unit(seconds)}, {counted(round(calls), 'call')}",
            va="center",
            fontsize=9,
        )

    profiled = time_with_unit(lines["profiled_s"].mean())
    apart = lines["import_s"].max()
    imported = "" if pd.isna(apart) else f", imports apart {time_with_unit(apart)}"
    axes.annotate(
        f"{mode}: {profiled}{imported}",
        xy=(0.0, 1.0),
        xycoords=("figure fraction", "axes fraction"),
        xytext=(4, 3),
        textcoords="offset points",
        weight="bold",
    )
    axes.set_yticks(places, [_short(name) for name in top.index], fontsize=9)
    axes.set_ylim(MOST - 0.5, -0.6)
    axes.set_xlim(0, 138)
    axes.set_xticks(range(0, 101, 20))
    axes.tick_params(axis="y", length=0)
    axes.spines["bottom"].set_bounds(0, 100)
    axes.grid(axis="y", visible=False)


def longest(lines: pd.DataFrame) -> pd.DataFrame:
    """Return the functions with the longest own time: shares in %, means over profiles.

    A function that a profile does not hold took no time in it; what calls itself counts its time again, so
    no share exceeds 100 %.
    """
    profiles = lines["profile"].nunique()
    own = 100 * lines["self_s"] / lines["profiled_s"]
    cumulative = (100 * lines["cumulative_s"] / lines["profiled_s"]).clip(upper=100.0)
    named = lines.assign(own=own, cumulative=cumulative).groupby("function")

    sums = named[["own", "cumulative", "self_s", "calls"]].sum() / profiles
    means = sums.assign(spread=named["own"].std())
    return means.sort_values("own", ascending=False).head(MOST)


def _short(name: str) -> str:
    """Shorten a name from its front: the last letters tell more than the first."""
    return name if len(name) <= 36 else "…" + name[-35:]
