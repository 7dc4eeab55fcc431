"""Read ASE frames into plain arrays, each once, and name what is wrong with a frame."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import pairwise
from numbers import Integral
from typing import Any

import numpy as np

from anisweep.descriptors.arrays import FrameArrays, check
from anisweep.descriptors.errors import BadInput
from anisweep.descriptors.frame_conversion import convert, numbers_of
from anisweep.descriptors.kernels import frame_reader

#: What species may be.
LABELS = np.iinfo(np.int64)

#: Species from 0 up to this are counted without a detour: all elements, and twice as many labels.
MOST_SPECIES = 256


def frames_as_list(frames: Any) -> list[Any]:
    """Return frames as a list, also one alone; a list stays what it is.

    Raises
    ------
    BadInput
        when there is none
    """
    if hasattr(frames, "get_positions"):
        return [frames]

    several = (
        frames if isinstance(frames, list) else list(frames if isinstance(frames, Iterable) else [frames])
    )
    if not several:
        raise BadInput("no frames: give a list of at least one ase.Atoms")
    return several


def survey(frames: list[Any], first: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Return (frames,) the number of particles of each, and the species of all, sorted.

    Raises
    ------
    BadInput
        for what is no ase.Atoms, and for species that are no integers
    """
    counts, seen = np.empty(len(frames), dtype=np.int64), np.zeros(MOST_SPECIES, dtype=bool)
    if frame_reader.survey(frames, counts, seen):
        return counts, np.flatnonzero(seen)

    counts, numbers = numbers_of(frames, first)
    return counts, np.unique(numbers)


def runs(counts: np.ndarray, particles: int) -> list[tuple[int, int]]:
    """Divide frames into ranges with about so many particles each; a frame is never divided."""
    ends = np.cumsum(counts + 1)  # a frame without particles takes its time, too
    if ends[-1] <= particles:
        return [(0, len(ends))]

    inner = np.searchsorted(ends, np.arange(particles, ends[-1], particles))
    return list(pairwise(np.unique([0, *inner, len(ends)]).tolist()))


def covering(given: Iterable[int] | None, there: np.ndarray) -> np.ndarray:
    """Return the neighbour species to use: those given, which must contain all that are there, or these."""
    if given is None:
        return there

    numbers = list(given)
    if not all(isinstance(number, Integral) for number in numbers):
        raise BadInput(f"species must be integers, not {numbers}")
    try:
        species = np.unique(np.asarray(numbers, dtype=np.int64))
    except OverflowError:
        raise BadInput(f"species must be between {LABELS.min} and {LABELS.max}, not {numbers}") from None
    missing = np.setdiff1d(there, species)
    if len(missing):
        raise BadInput(f"species {missing[0]} is not among those given: {species.tolist()}")
    return species


def gather(
    frames: list[Any], counts: np.ndarray, rotation_key: str, rotation_type: str, first: int = 0
) -> FrameArrays:
    """Join the arrays of all frames, and check them.

    Parameters
    ----------
    frames : of ase.Atoms, with arrays ``c_diameter[1]``, ``[2]``, ``[3]`` and the orientations
    counts : (frames,) particles of each
    rotation_key : name of the array of orientations
    rotation_type : ``quaternion`` (w, x, y, z; any length but zero) or ``matrix``
    first : what the first frame is called in errors

    Raises
    ------
    BadInput
        an array is missing, of the wrong shape, not finite, zero where it must not be
    """
    if len(frames) != len(counts):
        came = f"{len(frames)} frames came where {len(counts)} were counted"
        raise BadInput(f"{came}: describe a copy of the list")

    arrays = FrameArrays.empty(rotation_type, counts, first)
    if not frame_reader.read(frames, rotation_key, arrays):
        convert(frames, rotation_key, arrays)
    check(arrays, rotation_key)
    return arrays
