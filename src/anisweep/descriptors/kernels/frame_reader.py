"""Pass ASE frames to the C reader in kernels/reader.h."""

from __future__ import annotations

from typing import Any

import numpy as np

from anisweep.descriptors.arrays import DIAMETERS, FrameArrays
from anisweep.descriptors.kernels.loader import reader
from anisweep.descriptors.kernels.structures import address

REAL, INTEGER, LOGICAL = np.dtype(float), np.dtype(np.int64), np.dtype(bool)

#: What kernels/reader.h knows of memory holds for these: a Python with a GIL, NumPy before 3.
KNOWN_LAYOUT = object.__basicsize__ == 16 and np.lib.NumpyVersion(np.__version__) < "3.0.0"

POSITIONS, NUMBERS = "positions", "numbers"

#: `Names` of kernels/reader.h: the type of arrays, and a frame's attributes.
ATTRIBUTES = ("arrays", NUMBERS, "cell", "array", "pbc")
NAMES = np.array([id(np.ndarray), *map(id, ATTRIBUTES)])


def survey(frames: list[Any], counts: np.ndarray, seen: np.ndarray) -> bool:
    """Count particles and mark their species; return False where anything is not exactly as expected.

    Parameters
    ----------
    frames : of ase.Atoms
    counts : (frames,), of integers
    seen : (species,), logical
    """
    if not KNOWN_LAYOUT:
        return False

    there = reader().anisweep_survey(
        frames, address(NAMES), INTEGER.num, address(counts), len(frames), address(seen), len(seen)
    )
    return bool(there)


def read(frames: list[Any], rotation_key: str, into: FrameArrays) -> bool:
    """Copy what frames hold; return False where anything is not exactly as expected.

    Parameters
    ----------
    frames : of ase.Atoms
    rotation_key : name of the array of orientations
    into : room for these frames
    """
    if not KNOWN_LAYOUT:
        return False

    matrices = into.rotations.shape[1] == 9
    diameters = address(into.diameters)
    rotation = (id(rotation_key), REAL.num, 2, 3, 72) if matrices else (id(rotation_key), REAL.num, 1, 4, 32)

    # Rows of `Column`: name, type, rank, side, bytes of a row, where to, bytes from row to row there.
    columns = np.array(
        [
            (*rotation, address(into.rotations), rotation[-1]),
            (id(POSITIONS), REAL.num, 1, 3, 24, address(into.positions), 24),
            (id(DIAMETERS[0]), REAL.num, 0, 0, 8, diameters, 24),
            (id(DIAMETERS[1]), REAL.num, 0, 0, 8, diameters + 8, 24),
            (id(DIAMETERS[2]), REAL.num, 0, 0, 8, diameters + 16, 24),
            (id(NUMBERS), INTEGER.num, 0, 0, 8, address(into.numbers), 8),
            (0, REAL.num, 1, 3, 24, address(into.cells), 24),
            (0, LOGICAL.num, 0, 0, 1, address(into.periodic), 1),
        ]
    )
    copied = reader().anisweep_read(
        frames, address(NAMES), address(columns), len(columns) - 2, address(into.start), len(frames)
    )
    return bool(copied)
