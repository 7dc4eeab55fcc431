"""Figures, one file each. A new file in this folder is a new figure; no other file needs to know.

A figure's file has three public names: ``TITLE``, ``CAPTION`` (one sentence) and ``draw(cells, summary)``,
which gives a matplotlib figure or raises `NothingToDraw` with the reason in words.
"""

from __future__ import annotations

import importlib
import textwrap
from pathlib import Path
from types import ModuleType

import matplotlib

matplotlib.use("Agg")

import matplotlib.pyplot as plt
from matplotlib.figure import Figure

from anisweep import tables
from anisweep.figures._series import NothingToDraw

__all__ = ["NothingToDraw", "draw_to", "load", "names", "save", "save_words"]

FOLDER = Path(__file__).parent
STYLE = FOLDER / "anisweep.mplstyle"

#: Begins the caption of a figure for which a study holds nothing (`anisweep.report.svg` knows it).
NOT_DRAWN = "Not drawn: "


def names() -> list[str]:
    """The figures, by the names of their files."""
    return sorted(path.stem for path in FOLDER.glob("[!_]*.py"))


def load(name: str) -> ModuleType:
    """The module of one figure."""
    if name not in names():
        raise ValueError(f"there is no figure {name!r}; there are: {', '.join(names())}")
    return importlib.import_module(f"anisweep.figures.{name}")


def draw_to(name: str, tables_folder: Path, stem: Path) -> None:
    """Draw a figure from ``cells.parquet`` and ``summary.parquet`` into ``<stem>.svg`` and ``<stem>.png``.

    Both are the same, byte for byte, whenever the tables are. The SVG carries title and caption as its
    metadata. Where the study holds nothing to draw, caption and picture say why, and the report shows the
    words instead of the picture.
    """
    module = load(name)
    cells = tables.read(tables_folder, "cells")
    summary = tables.read(tables_folder, "summary")

    with plt.style.context(STYLE):
        try:
            save(module.draw(cells, summary), stem, module.TITLE, module.CAPTION)
        except NothingToDraw as reason:
            save_words(str(reason), stem, module.TITLE)


def save(figure: Figure, stem: Path, title: str, caption: str) -> None:
    """Write ``<stem>.svg`` and ``<stem>.png`` and close the figure."""
    stem.parent.mkdir(parents=True, exist_ok=True)
    described = {"Title": title, "Description": caption, "Date": None}
    figure.savefig(f"{stem}.svg", metadata=described)
    figure.savefig(f"{stem}.png", facecolor="white", metadata={"Software": None})
    plt.close(figure)


def save_words(reason: str, stem: Path, title: str) -> None:
    """Instead of a figure for which there is nothing to draw: why."""
    with plt.style.context(STYLE):
        figure = plt.figure(figsize=(6.0, 1.2))
        figure.text(0.02, 0.5, textwrap.fill(reason, 80), verticalalignment="center")
        save(figure, stem, title, f"{NOT_DRAWN}{reason}")
