"""Draw how busy the processors are: before with the reference, after with every other mode."""

from __future__ import annotations

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from anisweep.figures import NothingToDraw
from anisweep.figures._series import Series, handles_of, legend_above, series_of, systems_on_y
from anisweep.tables.names import with_names

TITLE = "Utilisation before and after"
CAPTION = (
    "CPU time over wall time and threads (of what is not pinned: and the CPUs there are) and, for cells on a "
    "GPU, the share of the time in which it was busy (upright strokes); means over replicates with their "
    "standard deviations. Before is the reference, after every other mode."
)

NO_GPU = "No cell of this study ran on a GPU."


def draw(cells: pd.DataFrame, summary: pd.DataFrame) -> Figure:
    """Draw the utilisation of each mode on each system."""
    measured = cells[(cells["role"] == "cell") & (cells["status"] == "ok") & cells["cpu_utilisation"].notna()]
    timed = summary.dropna(subset=["wall_mean_s"])
    if measured.empty or timed.empty:
        raise NothingToDraw("No cell of this study has a utilisation yet.")

    named = with_names(measured.assign(reference=""))
    figure, axes, positions = systems_on_y(timed, 1.5)

    shown = series_of(timed)
    for series in shown:
        own = named[named["series"] == series.label]
        _draw_marks(axes, series, own, "cpu_utilisation", positions)
        _draw_marks(axes, series, own, "gpu_utilisation", positions)

    axes.set_xlim(0, 1.08 * 100 * max(1.0, float(named["cpu_utilisation"].max())))
    axes.axvline(100, color="#1f2328", linestyle="--", linewidth=1.0)
    axes.set_xlabel("utilisation / %" if _any_gpu(measured) else f"utilisation of the CPU / %\n{NO_GPU}")
    legend_above(figure, handles_of(shown))
    return figure


def _any_gpu(cells: pd.DataFrame) -> bool:
    return bool(cells["gpu_utilisation"].notna().any())


def _draw_marks(
    axes: Axes, series: Series, cells: pd.DataFrame, column: str, positions: dict[str, int]
) -> None:
    shares = (100 * cells[column]).groupby(cells["system"]).agg(["mean", "std"]).dropna(subset=["mean"])
    is_cpu = column.startswith("cpu")
    if shares.empty:
        return

    axes.errorbar(
        shares["mean"],
        [positions[str(system)] + series.offset for system in shares.index],
        xerr=shares["std"].fillna(0.0),
        linestyle="",
        clip_on=False,
        **(series.look if is_cpu else {"color": series.colour, "marker": "|"}),
    )
