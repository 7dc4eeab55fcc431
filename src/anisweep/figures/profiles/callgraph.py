"""Draw the call graph of the published package: who calls whom, and where the time goes."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path, PurePath
from typing import Any

import gprof2dot
import matplotlib.pyplot as plt
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import FancyArrowPatch, Rectangle

from anisweep.figures.profiles._layers import HIGH, WIDE, Place, places
from anisweep.figures.profiles._modes import BLACK, INK, first_profile, panels
from anisweep.formatting import counted

TITLE = "Call graph"
CAPTION = (
    "Functions of one call of the reference under cProfile: share of the time with what they call, in "
    "themselves (in brackets), and calls; the darker a box, the more time in itself, the wider an arrow, the "
    "more time goes along it. Imports are not part of it."
)

#: Functions with less than this share are left out, and more of them while there are too many.
LEAST = 0.02
MOST = 16

BOX = (WIDE - 0.25, HIGH - 0.42)


@dataclass(frozen=True)
class Node:
    """Describe a function of the graph; shares are of the whole time."""

    name: str
    share: float
    own: float
    calls: int


@dataclass(frozen=True)
class Graph:
    """Hold functions by name, and the share of the time along each call."""

    nodes: dict[str, Node]
    edges: dict[tuple[str, str], float]


def draw(lines: pd.DataFrame, folder: Path) -> Figure:
    """Draw the call graph of the reference's first profile."""
    mode, reference = next(panels(lines))
    graph = read(folder / f"{first_profile(reference)}.prof")
    called = {name: [callee for caller, callee in graph.edges if caller == name] for name in graph.nodes}
    at = places(called)

    across = [x for x, _ in at.values()]
    down = [y for _, y in at.values()]
    figure, axes = plt.subplots(
        figsize=(max(across) - min(across) + WIDE + 0.2, max(down) - min(down) + HIGH + 0.3)
    )
    axes.set_axis_off()
    axes.set_aspect("equal")
    axes.set_xlim(min(across) - WIDE / 2, max(across) + WIDE / 2)
    axes.set_ylim(min(down) - HIGH / 2, max(down) + HIGH / 2)
    axes.set_title(mode)

    for (caller, callee), share in graph.edges.items():
        _draw_edge(axes, at[caller], at[callee], share)
    for name, node in graph.nodes.items():
        _draw_node(axes, at[name], node)
    return figure


def read(profile: Path) -> Graph:
    """Read the functions that matter, by gprof2dot; what drives the call is left out."""
    least = LEAST
    graph = _pruned(profile, least)

    while len(graph.nodes) > MOST:
        least *= 1.25
        graph = _pruned(profile, least)
    return graph


def _pruned(profile: Path, least: float) -> Graph:
    parsed = gprof2dot.PstatsParser(str(profile)).parse()
    parsed.prune(least, least / 2, None, False)
    kept = {key: f for key, f in parsed.functions.items() if not _drives(f)}

    nodes = {
        f.name: Node(f.name, f[gprof2dot.TOTAL_TIME_RATIO], f[gprof2dot.TIME_RATIO], f.called)
        for f in kept.values()
    }
    edges = {
        (f.name, kept[call.callee_id].name): call[gprof2dot.TOTAL_TIME_RATIO]
        for f in kept.values()
        for call in f.calls.values()
        if call.callee_id in kept and kept[call.callee_id] is not f
    }
    return Graph(nodes, edges)


def _drives(function: Any) -> bool:
    """Return True for what drives the call.

    That is the profiler's own entry, the call that it was handed, and the mode's file, which calls the
    package.
    """
    own = PurePath(function.filename).parent.name in ("modes", "worker")
    return own or "profiler" in function.name


def _draw_node(axes: Axes, at: Place, node: Node) -> None:
    """Draw a box, from white to a blue on which dark text can be read."""
    depth = min(1.0, node.own / 0.3)
    fill = (1 - 0.62 * depth, 1 - 0.28 * depth, 1 - 0.08 * depth)
    corner = (at[0] - BOX[0] / 2, at[1] - BOX[1] / 2)
    axes.add_patch(Rectangle(corner, *BOX, facecolor=fill, edgecolor=INK, linewidth=0.8, zorder=3))

    calls = counted(node.calls, "call")
    numbers = f"{100 * node.share:.0f} % ({100 * node.own:.0f} %), {calls}"
    axes.text(
        at[0],
        at[1] + 0.11,
        _short(node.name),
        ha="center",
        va="center",
        fontsize=9,
        weight="bold",
        color=BLACK,
        zorder=4,
    )
    axes.text(at[0], at[1] - 0.11, numbers, ha="center", va="center", fontsize=9, color=BLACK, zorder=4)


def _draw_edge(axes: Axes, caller: Place, callee: Place, share: float) -> None:
    """Draw an arrow from the foot of the caller to the head of what it calls."""
    start = (caller[0], caller[1] - BOX[1] / 2)
    end = (callee[0], callee[1] + BOX[1] / 2)
    arrow = FancyArrowPatch(
        start,
        end,
        arrowstyle="-|>",
        mutation_scale=9,
        linewidth=0.6 + 4 * share,
        color="#6e7781",
        shrinkB=1,
        zorder=2,
    )
    axes.add_patch(arrow)


def _short(name: str) -> str:
    """Return the function of ``module:line:function``; of a compiled one its last name."""
    last = name.rpartition(":")[2].strip("<>")

    if "'" in last:
        last = last.split("'")[1]
    last = last.removeprefix("built-in method ").rpartition(".")[2]
    return last if len(last) <= 24 else last[:21] + "…"
