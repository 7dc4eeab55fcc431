"""Draw figures into files, byte for byte the same for the same tables."""

from __future__ import annotations

import importlib
import textwrap
from pathlib import Path
from types import ModuleType

import matplotlib

matplotlib.use("Agg")

import matplotlib.pyplot as plt
import pandas as pd
from matplotlib.figure import Figure

from anisweep import tables
from anisweep.figures import FOLDER, NothingToDraw, names

STYLE = FOLDER / "anisweep.mplstyle"

#: Begins the caption of a figure for which a study holds nothing (`anisweep.report.inline_svg` knows it).
NOT_DRAWN = "Not drawn: "


def load(name: str) -> ModuleType:
    """Import the module of one figure."""
    if name not in names():
        raise ValueError(f"there is no figure {name!r}; there are: {', '.join(names())}")
    return importlib.import_module(f"anisweep.figures.{name}")


def draw_to(name: str, tables_folder: Path, stem: Path) -> None:
    """Draw a figure from ``cells.parquet`` and ``summary.parquet``; see `draw`."""
    draw(name, tables.read(tables_folder, "cells"), tables.read(tables_folder, "summary"), stem)


def draw(name: str, cells: pd.DataFrame, summary: pd.DataFrame, stem: Path) -> None:
    """Draw a figure into ``<stem>.svg`` and ``<stem>.png``.

    Both are the same, byte for byte, whenever the tables are. The SVG carries title and caption as its
    metadata. Where the study holds nothing to draw, caption and picture say why, and the report shows the
    words instead of the picture.
    """
    module = load(name)
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
    """Write the reason instead of a figure for which there is nothing to draw."""
    with plt.style.context(STYLE):
        figure = plt.figure(figsize=(6.0, 1.2))
        figure.text(0.02, 0.5, textwrap.fill(reason, 80), verticalalignment="center")
        save(figure, stem, title, f"{NOT_DRAWN}{reason}")
