"""Compute the neighbour list: every pair of particles within the cutoff, with the cells between them."""

from __future__ import annotations

import ctypes
from dataclasses import dataclass

import numpy as np

from anisweep.descriptors.arrays import FrameArrays
from anisweep.descriptors.kernels.loader import kernels
from anisweep.descriptors.kernels.run import Inputs, complain


@dataclass(frozen=True)
class Pairs:
    """Hold the pairs of all frames; those of a centre with one particle follow each other.

    Attributes
    ----------
    centre, neighbour : (pairs,) particles, counted over all frames
    cells : (pairs, 3) whole cells between them: the neighbour is at
        positions[neighbour] + cells @ cell, the centre at positions[centre]
    """

    centre: np.ndarray
    neighbour: np.ndarray
    cells: np.ndarray


def find_pairs(arrays: FrameArrays, frames: range, cutoff: float, self_pairs: bool) -> Pairs:
    """Find all pairs closer than a cutoff, in a time linear in the number of particles.

    Parameters
    ----------
    arrays : of all frames
    frames : which of them
    cutoff : Angstrom
    self_pairs : whether each particle is a neighbour of itself, at distance zero

    Raises
    ------
    BadInput
        a cell without volume, or far smaller than the cutoff
    """
    inputs = Inputs(arrays, arrays.species, general=True)
    count, failed_frame = ctypes.c_int64(0), ctypes.c_int64(0)
    pairs = np.empty((0, 5), dtype=np.int64)

    for _ in range(2):  # the first time they are counted
        pairs = np.empty((count.value, 5), dtype=np.int64)
        status = kernels().anisweep_pairs(
            ctypes.byref(inputs.pointers),
            ctypes.c_int64(frames.start),
            ctypes.c_int64(frames.stop),
            ctypes.c_double(cutoff),
            ctypes.c_int64(self_pairs),
            ctypes.c_int64(len(pairs)),
            ctypes.c_void_p(pairs.ctypes.data),
            ctypes.byref(count),
            ctypes.byref(failed_frame),
        )
        complain(status, arrays.first + failed_frame.value)

    pairs = pairs[np.lexsort((pairs[:, 1], pairs[:, 0]))]
    return Pairs(pairs[:, 0], pairs[:, 1], pairs[:, 2:])
