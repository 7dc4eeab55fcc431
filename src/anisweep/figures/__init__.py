"""List the figures, one file each: a new file in this folder is a new figure.

No other file needs to know. A figure's file has three public names: ``TITLE``, ``CAPTION`` (one sentence) and
``draw(cells, summary)``, which gives a matplotlib figure or raises `NothingToDraw` with the reason in words.

Listing figures needs no matplotlib: what draws is in ``_drawing``.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Literal

Kind = Literal["callgraph", "hotspots", "flame"]

FOLDER = Path(__file__).parent


class NothingToDraw(Exception):
    """Raised when the study holds nothing for a figure; the message says why, in words for the reader."""


def names(profiled: Iterable[tuple[str, int]] = ()) -> list[str]:
    """Return the figures of a study, by name: one a file, then those of the data sets that it profiles.

    Parameters
    ----------
    profiled : name and number of frames of each of these data sets
    """
    every = sorted(path.stem for path in FOLDER.glob("[!_]*.py"))
    return every + [name for dataset, frames in profiled for name in profile_figures(dataset, frames)]


def profile_figures(dataset: str, frames: int) -> dict[str, Kind]:
    """Return what each figure of a profiled data set shows, by its name.

    The names are those of the published study: ``prof_<dataset>_callgraph``, ``prof_<dataset>_<frames>``
    and ``flame_<dataset>``.
    """
    return {
        f"prof_{dataset}_callgraph": "callgraph",
        f"prof_{dataset}_{frames}": "hotspots",
        f"flame_{dataset}": "flame",
    }
