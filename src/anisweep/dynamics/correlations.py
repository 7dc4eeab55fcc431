"""Measure how particles lie around each other: g(r), and how parallel they are."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from ase import Atoms

from anisweep.dynamics.free_rotation import matrices_of, unit_quaternions


def pair_correlations(
    frames: Sequence[Atoms], edges: np.ndarray, axis: int = 2, rotation_key: str = "c_q"
) -> tuple[np.ndarray, np.ndarray]:
    r"""Return the radial distribution of centres, and the correlation of an axis, as means over frames.

    .. math:: g_2(r) = \langle P_2(\mathbf{u}_i \cdot \mathbf{u}_j) \rangle_r

    Parameters
    ----------
    frames : list of Atoms
        Periodic, with orientations as quaternions (w, x, y, z).
    edges : ndarray, shape (bins + 1,)
        Of the bins of distance, in Angstrom; they may be longer than the cell.
    axis : int
        The body axis u: 0, 1 or 2.
    rotation_key : str
        Name of the array of orientations.

    Returns
    -------
    g, g2 : ndarray, shape (bins,)
        One, and zero, where nothing is ordered; g2 is NaN in a bin without pairs.
    """
    from ase.neighborlist import neighbor_list  # it brings SciPy, which fits and shards do not need

    found, expected, parallel = (np.zeros(len(edges) - 1) for _ in range(3))
    shells = 4 / 3 * np.pi * np.diff(np.asarray(edges) ** 3)

    for frame in frames:
        centre, neighbour, distance = neighbor_list("ijd", frame, float(edges[-1]))
        axes = matrices_of(unit_quaternions(frame.arrays[rotation_key]))[:, :, axis]
        cosines = np.vecdot(axes[centre], axes[neighbour])
        found += np.histogram(distance, edges)[0]
        parallel += np.histogram(distance, edges, weights=1.5 * cosines**2 - 0.5)[0]
        expected += len(frame) ** 2 / frame.get_volume() * shells

    return found / expected, np.divide(parallel, found, where=found > 0, out=np.full_like(found, np.nan))
