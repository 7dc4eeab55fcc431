"""Find the pairs in a periodic cell of any shape that holds a few particles."""

from __future__ import annotations

from typing import Any

import numpy as np

Array = np.ndarray[Any, Any]


def near_images(cell: Array, positions: Array, reach: float) -> tuple[Array, Array, Array]:
    """Return all ordered pairs of distinct particles or images that are nearer than ``reach``.

    Parameters
    ----------
    cell : shape (3, 3), one lattice vector a row
    positions : shape (n, 3), inside the cell

    Returns
    -------
    first, second : shape (p,), numbers of the particles
    vectors : shape (p, 3), from the first to the second's image
    """
    # The height of the cell over each face says how many images can be within reach.
    heights = 1.0 / np.linalg.norm(np.linalg.inv(cell), axis=0)
    most = np.ceil(reach / heights).astype(int) + 1

    shifts = np.stack(np.meshgrid(*[np.arange(-m, m + 1) for m in most], indexing="ij"), axis=-1)
    translations = shifts.reshape(-1, 3) @ cell

    between = positions[None, :, None] - positions[:, None, None] + translations
    distances = np.sqrt((between**2).sum(axis=-1))

    near = (distances < reach) & (distances > 0.0)
    first, second, _ = np.nonzero(near)
    return first, second, between[near]
