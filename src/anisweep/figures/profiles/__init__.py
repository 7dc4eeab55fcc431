"""List the figures of profiles: one of each kind for every data set of a study that profiles.

Each kind is a file with ``TITLE``, ``CAPTION`` and ``draw(lines, folder)``: the lines of the hotspots table
of one data set, and the folder with the profiles themselves.
"""

from __future__ import annotations

import importlib
from pathlib import Path

import matplotlib.pyplot as plt
import pandas as pd

from anisweep import tables
from anisweep.figures import Kind, profile_figures
from anisweep.figures._drawing import STYLE, save, save_words

__all__ = ["draw_to", "names"]


def names(hotspots: pd.DataFrame) -> dict[str, tuple[Kind, str, int]]:
    """Return kind, data set and frames of each figure that a table of hotspots has, by its name."""
    sets = hotspots[["dataset", "frames"]].drop_duplicates().sort_values("frames")
    return {
        name: (kind, dataset, int(frames))
        for dataset, frames in zip(sets["dataset"], sets["frames"], strict=True)
        for name, kind in profile_figures(dataset, frames).items()
    }


def draw_to(name: str, tables_folder: Path, folder: Path, stem: Path) -> None:
    """Draw a figure from ``hotspots.parquet`` among a study's tables and from the folder of its profiles.

    A data set none of whose cells came to its profile has a picture that says so.
    """
    hotspots = tables.read(tables_folder, "hotspots")
    known = names(hotspots)

    if name not in known:
        reason = f"No cell came as far as the profile of {name}; cells.csv among the study's tables says why."
        save_words(reason, stem, name.replace("_", " "))
        return

    kind, dataset, frames = known[name]
    module = importlib.import_module(f"anisweep.figures.profiles.{kind}")
    lines = one_problem(hotspots[(hotspots["dataset"] == dataset) & (hotspots["frames"] == frames)])
    title = f"{module.TITLE}: {dataset.replace('_', ' ')}, {frames} frame{'s' if frames > 1 else ''}"

    with plt.style.context(STYLE):
        save(module.draw(lines, folder), stem, title, module.CAPTION)


def one_problem(lines: pd.DataFrame) -> pd.DataFrame:
    """Return the lines of one site, output and set of hyperparameters: local, coefficients, the first."""
    for column, usual in (("site", "local"), ("output", "coefficients")):
        present = sorted(lines[column].unique())
        lines = lines[lines[column] == (usual if usual in present else present[0])]

    shown: pd.DataFrame = lines[lines["hypers"] == lines["hypers"].iloc[0]]
    return shown
