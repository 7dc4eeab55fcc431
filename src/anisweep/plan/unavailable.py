"""Find the cells that no machine can compute, before anything is measured."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Hashable, Iterable
from pathlib import Path

from anisweep import modes
from anisweep.cell import Cell
from anisweep.modes._species import one_species
from anisweep.plan.first_frames import first_frames


def unavailable_cells(cells: Iterable[Cell], root: Path) -> dict[str, list[Cell]]:
    """Return the cells whose rows will say `unavailable`, by the reason in the words of their modes.

    Parameters
    ----------
    root : of the project, for the files of data sets
    """
    by_reason = defaultdict(list)
    reasons: dict[Hashable, str] = {}  # replicates and hyperparameters decide nothing here

    for cell in cells:
        decisive = (cell.mode, cell.precision, cell.device, cell.output, cell.dataset)
        if decisive not in reasons:
            reasons[decisive] = _reason(cell, root)
        if reasons[decisive]:
            by_reason[reasons[decisive]].append(cell)
    return by_reason


def _reason(cell: Cell, root: Path) -> str:
    """Return why no machine can compute a cell; empty if nothing is known against it."""
    try:
        modes.require("precision", cell.precision, modes.precisions(cell.mode))
        modes.require("device", cell.device, modes.devices(cell.mode))
        if cell.output == "power_spectrum":
            one_species(first_frames(cell.dataset, root)[: cell.dataset.frames])
    except modes.Unavailable as reason:
        return str(reason)
    return ""
