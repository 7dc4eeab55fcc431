"""Draw where the time goes in each mode."""

from __future__ import annotations

from zlib import crc32

import matplotlib.pyplot as plt
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.container import BarContainer
from matplotlib.figure import Figure

from anisweep.figures import NothingToDraw
from anisweep.figures._series import legend_above
from anisweep.tables.names import series_in_order, stage_in_words, with_names

TITLE = "Where the time goes"
CAPTION = (
    "Share of each stage in the wall time of one traced computation, medians over replicates, for the "
    "smallest and the largest system of the study; the wall time without clocks stands at the right."
)

REST = "other"

#: Fill and hatch of each stage, the same in every study. Light enough for dark text on them.
LOOKS = {
    "contraction": ("#56b4e9", ""),
    "moments": ("#e69f00", "///"),
    "pair loop": ("#c7e6da", ""),
    "conv in": ("#f0e442", "..."),
    "conv out": ("#f0e442", "xxx"),
    "neighbours": ("#cc79a7", "\\\\\\"),
    "gaussians": ("#f4a582", "///"),
    "sum neighbours": ("#80cdc1", "..."),
    "orthonormalise": ("#009e73", "..."),
    "power spectrum": ("#d55e00", ""),
    "setup": ("#b3a2c7", ""),
    "descriptors": ("#a6bddb", "///"),
    REST: ("#d9d9d9", ""),
}

#: For a stage that a new mode brings; its name chooses, so that it too looks the same everywhere.
MORE_LOOKS = [(fill, hatch) for fill in ("#e5c494", "#fbb4ae", "#b3de69") for hatch in ("", "xx", "--")]
INK = "#1f2328"
LARGEST = 5


def draw(cells: pd.DataFrame, summary: pd.DataFrame) -> Figure:
    """Draw the share of each stage, for the smallest and the largest system."""
    stages = [name for name in summary.columns if name.startswith("stage_")]
    traced = summary[summary["traced_wall_s"].notna() & summary["wall_mean_s"].notna()]

    if traced.empty or not stages:
        raise NothingToDraw("No cell of this study has been traced yet.")

    named = with_names(traced)
    systems = _smallest_and_largest(named)
    shares = named[stages].fillna(0.0).div(named["traced_wall_s"], axis=0)
    shares.columns = [stage_in_words(name) for name in stages]
    grouped = _group_small(shares)

    modes = len(series_in_order(named))
    size = (6.0, 1.0 + len(systems) * (0.45 + 0.34 * modes))
    figure, panels = plt.subplots(len(systems), sharex=True, squeeze=False, figsize=size)

    for axes, system in zip(panels[:, 0], systems, strict=True):
        _draw_panel(axes, named[named["system"] == system], grouped, system)

    panels[-1, 0].set_xlabel("share of the wall time / %")
    legend_above(figure, panels[0, 0].get_legend_handles_labels()[0])
    return figure


def _smallest_and_largest(named: pd.DataFrame) -> list[str]:
    coefficients = named[named["output"] == "coefficients"]
    by_size = (coefficients if len(coefficients) else named).sort_values("pairs")["system"]
    return list(dict.fromkeys([by_size.iloc[0], by_size.iloc[-1]]))


def _group_small(shares: pd.DataFrame) -> pd.DataFrame:
    """Return the largest stages by themselves, all others (and what no stage claims) together."""
    largest = shares.max().sort_values(ascending=False).index[:LARGEST]
    kept = shares[list(largest)]
    return kept.assign(**{REST: (1.0 - kept.sum(axis=1)).clip(lower=0.0)})


def look_of(stage: str) -> tuple[str, str]:
    """Return fill and hatch of a stage, by its name alone."""
    return LOOKS.get(stage) or MORE_LOOKS[crc32(stage.encode()) % len(MORE_LOOKS)]


def _draw_panel(axes: Axes, lines: pd.DataFrame, shares: pd.DataFrame, system: str) -> None:
    order = series_in_order(lines)
    positions = [order.index(name) for name in lines["series"]]
    left = pd.Series(0.0, index=lines.index)

    for stage in shares.columns:
        fill, hatch = look_of(stage)
        width = 100 * shares.loc[lines.index, stage]
        bars = axes.barh(positions, width, 0.68, left, color=fill, hatch=hatch, edgecolor=INK, label=stage)
        _label_wide(axes, bars, list(width))
        left = left + width

    for position, seconds in zip(positions, lines["wall_mean_s"], strict=True):
        axes.text(101.5, position, _milliseconds(seconds), verticalalignment="center")

    axes.set_title(system)
    axes.set_yticks(range(len(order)), order)
    axes.set_ylim(len(order) - 0.5, -0.5)
    axes.set_xlim(0, 118)
    axes.set_xticks(range(0, 101, 20))
    axes.tick_params(axis="y", length=0)
    axes.spines["bottom"].set_bounds(0, 100)
    axes.grid(visible=False)


def _label_wide(axes: Axes, bars: BarContainer, widths: list[float]) -> None:
    """Write the share on segments that are wide enough for it."""
    for bar, width in zip(bars, widths, strict=True):
        if width < 7:
            continue

        axes.text(
            bar.get_x() + bar.get_width() / 2,
            bar.get_y() + bar.get_height() / 2,
            f"{width:.0f}",
            ha="center",
            va="center",
            fontsize=9.5,
            color="#000000",
            bbox={"facecolor": bar.get_facecolor(), "edgecolor": "none", "pad": 0.8},
        )


def _milliseconds(seconds: float) -> str:
    """Format seconds as milliseconds with three digits, or all before the point."""
    value = 1e3 * seconds
    return f"{value:,.0f} ms" if value >= 100 else f"{value:.3g} ms"
