"""Make frames periodic in all directions by adding vacuum, for programs that need it."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from ase import Atoms

#: Angstrom of vacuum beyond the cutoff, so that particles may be moved by a hair.
MARGIN = 1.0


def with_vacuum(frames: Sequence[Atoms], cutoff: float) -> list[Atoms]:
    """Return frames with the same neighbours within a cutoff, each periodic in three directions or none.

    Where a frame is periodic in one or two directions, it gets cell vectors at right angles to these, so
    long that no image in the others is within the cutoff. Other frames stay what they are.

    Parameters
    ----------
    cutoff : Angstrom
    """
    return [
        _surrounded(frame, cutoff) if frame.pbc.any() and not frame.pbc.all() else frame for frame in frames
    ]


def _surrounded(frame: Atoms, cutoff: float) -> Atoms:
    vectors = frame.cell.array[frame.pbc]
    across = across_directions(vectors)
    extents = np.ptp(frame.positions @ across.T, axis=0)

    cell = np.empty((3, 3))
    cell[frame.pbc] = vectors
    cell[~frame.pbc] = across * (extents + cutoff + MARGIN)[:, None]

    surrounded = frame.copy()
    surrounded.set_cell(cell)
    surrounded.pbc = True
    return surrounded


def across_directions(vectors: np.ndarray) -> np.ndarray:
    """Return unit vectors at right angles to some vectors and to each other: for none, the three axes."""
    turned: np.ndarray = np.linalg.svd(vectors)[2] if len(vectors) else np.eye(3)
    return turned[len(vectors) :]
