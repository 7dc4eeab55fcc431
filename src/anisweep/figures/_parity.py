"""Draw what a model computes against the labels that were given."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes

from anisweep.figures._drawing import STYLE
from anisweep.files import whole

#: More numbers than this are drawn as a sample of them.
MOST = 5000

TITLES = {"energies": "Energy per particle", "forces": "Forces", "torques": "Torques", "stresses": "Stress"}


def draw(errors: Sequence[tuple[str, np.ndarray, np.ndarray]], units: dict[str, str], path: Path) -> None:
    """Draw a panel for each kind of label: its name, the given numbers, those found."""
    with plt.style.context(STYLE):
        figure, panels = plt.subplots(1, len(errors), figsize=(3.1 * len(errors), 3.3), squeeze=False)
        for axes, (kind, given, found) in zip(panels[0], errors, strict=True):
            _panel(axes, given, found)
            axes.set_title(TITLES[kind])
            axes.set_xlabel(f"given ({units[kind]})")
        panels[0][0].set_ylabel("model")

        with whole(path) as stream:
            figure.savefig(stream, format=path.suffix[1:], facecolor="white", metadata=_undated(path))
        plt.close(figure)


def _undated(path: Path) -> dict[str, str | None]:
    """Return metadata without the time of day, so that equal figures have equal bytes."""
    return {"Date": None} if path.suffix == ".svg" else {"Software": None}


def _panel(axes: Axes, given: np.ndarray, found: np.ndarray) -> None:
    shown = np.random.default_rng(0).permutation(len(given))[:MOST]
    ends = [min(given.min(), found.min()), max(given.max(), found.max())]
    margin = 0.04 * (ends[1] - ends[0]) or 1.0
    ends = [ends[0] - margin, ends[1] + margin]

    axes.plot(ends, ends, color="#8c959f", linewidth=1, zorder=1)
    axes.plot(
        *(given[shown], found[shown]), ".", color="#0969da", markersize=3, alpha=0.35, markeredgewidth=0
    )
    axes.set(xlim=ends, ylim=ends, aspect="equal")
    error = np.sqrt(np.mean(np.square(found - given)))
    axes.annotate(f"RMSE {error:.3g}", (0.04, 0.93), xycoords="axes fraction")
