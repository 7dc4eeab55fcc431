"""Put molecules together that boundaries of the cell have cut."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from ase import Atoms

Array = np.ndarray[Any, Any]


@dataclass(frozen=True)
class Unwrapped:
    """Hold molecules in one piece, with how they hold together.

    Attributes
    ----------
    positions : (molecules, atoms, 3); the first atom is where it was
    bonds : (molecules, atoms - 1) length of the bond by which each atom but the first is held
    held : (molecules, atoms - 1) which atom that is
    """

    positions: Array
    bonds: Array
    held: Array


def unwrap(positions: Array, frame: Atoms) -> Unwrapped:
    """Put molecules of one size together, each atom beside the nearest image of an atom that is there.

    So a molecule may be longer than the cell; only its bonds must be shorter than half of it. Atoms are added
    in the order of their distance from those that are there (Prim's spanning tree), in all molecules at once.

    Parameters
    ----------
    positions : (molecules, atoms, 3)
    """
    molecules, size = positions.shape[:2]
    every = np.arange(molecules)
    placed = positions.copy()
    bonds, held = np.zeros((molecules, size - 1)), np.zeros((molecules, size - 1), dtype=int)

    away = _nearest(positions - positions[:, :1], frame)
    beside = positions[:, :1] + away
    lengths = np.linalg.norm(away, axis=2)
    waiting = np.ones((molecules, size), dtype=bool)
    waiting[:, 0] = False

    for step in range(size - 1):
        next_one = np.where(waiting, lengths, np.inf).argmin(axis=1)
        placed[every, next_one] = beside[every, next_one]
        bonds[:, step], held[:, step] = lengths[every, next_one], next_one
        waiting[every, next_one] = False

        new = placed[every, next_one][:, None]
        away = _nearest(positions - new, frame)
        closer = np.linalg.norm(away, axis=2) < lengths
        beside = np.where(closer[:, :, None], new + away, beside)
        lengths = np.where(closer, np.linalg.norm(away, axis=2), lengths)
    return Unwrapped(placed, bonds, held)


def longest_certain(frame: Atoms) -> float:
    """Return half of the smallest distance between faces of the cell; of longer bonds no image is certain."""
    if not frame.pbc.any():
        return np.inf
    heights = 1 / np.linalg.norm(np.linalg.inv(frame.cell.complete().array), axis=0)
    return float(heights[frame.pbc].min()) / 2


def _nearest(vectors: Array, frame: Atoms) -> Array:
    """Return vectors to the nearest images; exact for those shorter than `longest_certain`."""
    if not frame.pbc.any():
        return vectors
    cell = frame.cell.complete().array
    return np.asarray(vectors - (np.round(vectors @ np.linalg.inv(cell)) * frame.pbc) @ cell)
