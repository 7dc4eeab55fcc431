"""Check what a model learns from: energies, forces, torques and stresses, which frames may lack."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from numbers import Real
from typing import Any

import numpy as np

from anisweep.descriptors.arrays import FrameArrays
from anisweep.descriptors.errors import BadInput
from anisweep.descriptors.masks import real_numbers, unmasked

#: Places of a symmetric matrix in the order xx, yy, zz, yz, xz, xy.
VOIGT = np.array([[0, 5, 4], [5, 1, 3], [4, 3, 2]])

#: Of the largest entry of a stress; more than this is no rounding.
ASYMMETRY = 1e-6


@dataclass(frozen=True)
class LabelWeights:
    """Weight the squared errors of each kind of label in a fit.

    Errors of a kind are first divided by how much its labels spread, so that weights have no unit, and then
    each number counts alike: one energy of a frame as much as one component of the force on one particle.

    Attributes
    ----------
    energies, forces, torques, stresses : float
        From 0 on; 0 leaves a kind out.

    Raises
    ------
    BadInput
        For a weight that is not a finite number from 0 on.
    """

    energies: float = 1.0
    forces: float = 1.0
    torques: float = 1.0
    stresses: float = 1.0

    def __post_init__(self) -> None:
        for field in fields(self):
            weight = getattr(self, field.name)
            if not is_real(weight) or not 0 <= weight < float("inf"):
                raise BadInput(
                    f"the weight of {field.name} must be a finite number from 0 on, not {weight!r}"
                )


@dataclass(frozen=True)
class TrainingLabels:
    """Hold the labels of all frames; NaN where there is none.

    Attributes
    ----------
    energies : (frames,)
    forces, torques : (particles, 3)
    stresses : (frames, 3, 3)
    """

    energies: np.ndarray
    forces: np.ndarray
    torques: np.ndarray
    stresses: np.ndarray

    @classmethod
    def of(
        cls, arrays: FrameArrays, energies: Any, forces: Any, torques: Any, stresses: Any
    ) -> TrainingLabels:
        """Return the labels that were given, checked.

        Raises
        ------
        BadInput
            for labels of a wrong number or shape, and for what is not finite, naming frame and particle
        """
        return cls(
            _energies(energies, arrays),
            _vectors("forces", forces, arrays),
            _vectors("torques", torques, arrays),
            _stresses(stresses, arrays),
        )

    def require_any(self) -> None:
        """Raise ``BadInput`` when there is nothing to learn from."""
        if not any(np.isfinite(getattr(self, field.name)).any() for field in fields(self)):
            raise BadInput(
                "there is nothing to learn from: give energies, forces, torques or stresses of at least one "
                "frame, and a weight above 0"
            )


def _energies(given: Any, arrays: FrameArrays) -> np.ndarray:
    """Return one energy for each frame, NaN for None."""
    count = len(arrays.counts)
    energies = np.full(count, np.nan)
    if given is None:
        return energies

    wanted = f"energies must be {count} finite numbers, one for each frame, or None where it has none"
    entries = _entries(unmasked(given, "energies") if isinstance(given, np.ndarray) else given)
    if entries is None or len(entries) != count:
        raise BadInput(f"{wanted}: got {given!r:.80}")

    for frame, entry in enumerate(entries):
        if entry is None:
            continue
        where = _where(arrays, frame)
        energies[frame] = _energy(entry, where)
        if not np.isfinite(energies[frame]):
            raise BadInput(f"{wanted}: {where} has {entry!s:.80}")
        if not arrays.counts[frame]:
            raise BadInput(f"{where} has no particles, so no energy per particle")
    return energies


def _vectors(name: str, given: Any, arrays: FrameArrays) -> np.ndarray:
    """Return a vector for each particle of all frames, NaN in frames that have none."""
    particles = int(arrays.start[-1])
    vectors = np.full((particles, 3), np.nan)
    if given is None:
        return vectors

    entries = _entries(given)
    if entries is not None and _is_one_array(given, entries):
        _fill(vectors, name, given, arrays, 0, "all frames")
        return vectors

    frames = len(arrays.counts)
    if entries is None or len(entries) != frames:
        came = f"{given!r:.80}" if entries is None else f"{len(entries)} arrays"
        raise BadInput(
            f"{name} must be an array for each of the {frames} frames, or None where it has none; or one "
            f"array of shape ({particles}, 3) for the particles of all: got {came}"
        )

    for frame, entry in enumerate(entries):
        begin, end = arrays.start[frame], arrays.start[frame + 1]
        if entry is not None:
            _fill(vectors[begin:end], name, entry, arrays, int(begin), _where(arrays, frame))
    return vectors


def _fill(vectors: np.ndarray, name: str, given: Any, arrays: FrameArrays, begin: int, where: str) -> None:
    """Write vectors of some particles, the first of which is ``begin``, into their place."""
    numbers = real_numbers(f"{name} of {where}", given)
    if numbers.shape != vectors.shape and (numbers.size or len(vectors)):
        raise BadInput(
            f"{name} of {where} have shape {numbers.shape}: they must be {vectors.shape}, a vector for each "
            "particle"
        )

    finite = np.isfinite(numbers.reshape(vectors.shape)).all(axis=1)
    if not finite.all():
        particle = begin + int(finite.argmin())
        raise BadInput(f"{arrays.where(particle)}: its vector in {name} is not finite")
    vectors[:] = numbers.reshape(vectors.shape)


def _stresses(given: Any, arrays: FrameArrays) -> np.ndarray:
    """Return a symmetric matrix for each frame, NaN for None."""
    frames = len(arrays.counts)
    stresses = np.full((frames, 3, 3), np.nan)
    if given is None:
        return stresses

    entries = _entries(given)
    if entries is None or len(entries) != frames:
        came = f"{given!r:.80}" if entries is None else f"{len(entries)}"
        raise BadInput(
            f"stresses must be {frames}, one for each frame, or None where it has none: got {came}"
        )

    for frame, entry in enumerate(entries):
        if entry is None:
            continue
        where = _where(arrays, frame)
        stresses[frame] = _stress(entry, where)
        if not arrays.periodic[frame].all():
            raise BadInput(f"{where}: it has a stress, but no volume: it must be periodic in all directions")
    return stresses


def _stress(given: Any, where: str) -> np.ndarray:
    """Return a stress as a symmetric matrix."""
    numbers = real_numbers(f"the stress of {where}", given)
    if numbers.shape not in ((6,), (3, 3)):
        raise BadInput(
            f"the stress of {where} has shape {numbers.shape}: it must be (3, 3), or (6,) for xx, yy, zz, "
            "yz, xz, xy"
        )
    if not np.isfinite(numbers).all():
        raise BadInput(f"the stress of {where} is not finite")

    matrix: np.ndarray = numbers[VOIGT] if numbers.ndim == 1 else numbers
    if np.abs(matrix - matrix.T).max() > ASYMMETRY * np.abs(matrix).max():
        raise BadInput(f"the stress of {where} is not symmetric: give its symmetric part")
    symmetric: np.ndarray = (matrix + matrix.T) / 2
    return symmetric


def _entries(given: Any) -> Sequence[Any] | np.ndarray | None:
    """Return what has one entry after another as it is, and None for anything else."""
    if isinstance(given, np.ndarray):
        return given if given.ndim else None
    return given if isinstance(given, Sequence) and not isinstance(given, str) else None


def _is_one_array(given: Any, entries: Sequence[Any] | np.ndarray) -> bool:
    """Return True for the vectors of all particles, and False where each entry is those of one frame."""
    if isinstance(given, np.ndarray) and given.dtype != object:
        return given.ndim <= 2
    return len(entries) > 0 and all(_is_vector(entry) for entry in entries)


def _is_vector(entry: Any) -> bool:
    try:
        return bool(np.shape(entry) == (3,))
    except ValueError:  # lists of several lengths
        return False


def _energy(entry: Any, where: str) -> float:
    """Return an energy as a float, NaN for what is none."""
    try:
        number = real_numbers(f"the energy of {where}", entry)
    except BadInput:
        if isinstance(entry, np.ma.MaskedArray):
            raise
        return np.nan
    return float(number) if number.ndim == 0 else np.nan


def is_real(value: Any) -> bool:
    """Return True for a real number, which no truth value is."""
    return isinstance(value, Real) and not isinstance(value, bool)


def _where(arrays: FrameArrays, frame: int) -> str:
    return f"frame {arrays.first + frame}"
