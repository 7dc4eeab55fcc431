"""Draw flame graphs from sampled stacks."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from zlib import crc32

import matplotlib.pyplot as plt
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Patch, Rectangle

from anisweep.figures.profiles._modes import BLACK, INK, first_profile, panels

TITLE = "Flame graph"
CAPTION = (
    "Stacks sampled during calls at full speed: a box is as wide as its function's share of the wall time "
    "and stands on the function that called it. The same colour is the same package; compiled functions are "
    "part of those that call them."
)

#: Levels that are drawn; of deeper ones their callers keep the time.
DEEPEST = 9
THINNEST = 0.003
ROW = 0.2
WIDTH = 6.0

#: Light enough for dark text, and told apart by the labels on them.
FILLS = {
    "anisoap": "#f4c28a",
    "anisweep": "#cfe3c1",
    "numpy": "#a9d4ee",
    "torch": "#f2b8a0",
    "metatensor": "#d9cbe6",
    "featomic": "#f3e58e",
}
MORE_FILLS = ("#dddddd", "#e8d8c3", "#cfd8dc")


@dataclass
class StackFrame:
    """Represent a function on a stack, and what it called; its seconds include those of what it called."""

    name: str
    seconds: float = 0.0
    called: dict[str, StackFrame] = field(default_factory=dict)


def draw(lines: pd.DataFrame, folder: Path) -> Figure:
    """Draw one flame graph for each mode."""
    flames = [
        (mode, tree((folder / f"{first_profile(group)}.folded").read_text())) for mode, group in panels(lines)
    ]
    heights = [1 + min(depth(root), DEEPEST) for _, root in flames]

    figure, axes = plt.subplots(
        len(flames),
        squeeze=False,
        figsize=(WIDTH, 0.7 + sum(heights) * ROW + 0.3 * len(heights)),
        gridspec_kw={"height_ratios": heights},
    )
    for panel, (mode, root), height in zip(axes[:, 0], flames, heights, strict=True):
        _draw_panel(panel, mode, root, height)

    handles = [
        Patch(facecolor=fill, edgecolor=INK, linewidth=0.4, label=name) for name, fill in FILLS.items()
    ]
    figure.legend(handles=handles, loc="outside upper left", ncols=len(FILLS), columnspacing=0.9)
    return figure


def tree(folded: str) -> StackFrame:
    """Build the tree of stacks below the mode's own ``compute``, which is the root."""
    root = StackFrame("compute")

    for line in folded.splitlines():
        stack, _, microseconds = line.rpartition(" ")
        names = _below_compute(stack.split(";"))
        box = root
        box.seconds += 1e-6 * int(microseconds)

        for name in names:
            box = box.called.setdefault(name, StackFrame(name))
            box.seconds += 1e-6 * int(microseconds)
    return root


def _below_compute(names: list[str]) -> list[str]:
    entered = [
        k for k, name in enumerate(names) if name.startswith("anisweep.modes.") and name.endswith(":compute")
    ]
    return names[entered[0] + 1 :] if entered else []


def depth(box: StackFrame) -> int:
    """Return the number of levels above a box that are wide enough to be seen."""
    return _depth(box, THINNEST * box.seconds)


def _depth(box: StackFrame, least: float) -> int:
    seen = [inner for inner in box.called.values() if inner.seconds > least]
    return 1 + max(_depth(inner, least) for inner in seen) if seen else 0


def _draw_panel(axes: Axes, mode: str, root: StackFrame, height: int) -> None:
    axes.set_title(mode)
    axes.set_axis_off()
    axes.set_xlim(0, 1)
    axes.set_ylim(0, height)

    if root.seconds > 0:
        _draw_box(axes, root, 0.0, 0, root.seconds)


def _draw_box(axes: Axes, box: StackFrame, left: float, level: int, total: float) -> None:
    width = box.seconds / total
    if width < THINNEST or level > DEEPEST:
        return

    package, _, name = box.name.rpartition(":")
    axes.add_patch(Rectangle((left, level), width, 1, facecolor=_fill(package), edgecolor=INK, linewidth=0.4))
    text = _fitting(name.replace(".<locals>", ""), f" {100 * width:.0f} %", width)
    axes.text(left + width / 2, level + 0.47, text, ha="center", va="center", fontsize=9, color=BLACK)

    for inner in sorted(box.called.values(), key=lambda each: each.name):
        _draw_box(axes, inner, left, level + 1, total)
        left += inner.seconds / total


def _fitting(name: str, share: str, width: float) -> str:
    """Return as much of a label as a box of this width holds, at 9 points.

    It is empty if that is less than a word.
    """
    letters = int(width * WIDTH / 0.078) - 1
    last = name.rpartition(".")[2]

    for text in (name + share, last + share, last):
        if len(text) <= letters:
            return text
    return last[: letters - 1] + "…" if letters >= 5 else ""


def _fill(module: str) -> str:
    package = module.split(".")[0]
    return FILLS.get(package) or MORE_FILLS[crc32(package.encode()) % len(MORE_FILLS)]
