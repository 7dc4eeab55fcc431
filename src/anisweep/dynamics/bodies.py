"""Find the masses and moments of inertia of particles, and refuse what cannot move."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from ase import Atoms

from anisweep.descriptors.arrays import FrameArrays
from anisweep.descriptors.errors import BadInput

REMEDY = "`anisweep coarsen` writes it into the frames, or give"


def require_smooth_cutoff(model: Any, sharp_cutoff: bool) -> None:
    """Raise ``BadInput`` for a model whose energy jumps, unless that is wanted."""
    if not model.projection.tables.smoothing and not sharp_cutoff:
        raise BadInput(
            "the energy jumps where a neighbour crosses the sharp cutoff of this model, so no dynamics "
            "conserve it: fit a projection with cutoff_smoothing, for example 1.0; or say sharp_cutoff=True"
        )


def masses_of(frames: Sequence[Atoms], arrays: FrameArrays, given: Any) -> np.ndarray:
    """Return (particles,) masses in u: those given, or the frames' own."""
    masses = _numbers("mass", "masses", frames, arrays, given, ())
    _require(arrays, "mass", masses, masses > 0, "a positive number")
    return masses


def moments_of(frames: Sequence[Atoms], arrays: FrameArrays, given: Any) -> np.ndarray:
    """Return (particles, 3) moments of inertia about the body axes in u A^2: given, or the frames' own."""
    moments = _numbers("moments", "inertia", frames, arrays, given, (3,))
    _require(arrays, "moments", moments, (moments >= 0).all(axis=1), "numbers from 0 on")
    return moments


def solid_ellipsoid(masses: Any, diameters: Any) -> np.ndarray:
    """Return the moments of inertia of solid ellipsoids about their axes, (particles, 3).

    LAMMPS knows no others: a molecule's are larger or smaller.

    Parameters
    ----------
    masses : float or array, shape (particles,)
        In u.
    diameters : array, shape (3,) or (particles, 3)
        In Angstrom.
    """
    squares = np.asarray(diameters, dtype=float) ** 2 / 4
    moments: np.ndarray = np.asarray(masses)[..., None] / 5 * (squares.sum(axis=-1, keepdims=True) - squares)
    return moments


def _numbers(
    array: str,
    argument: str,
    frames: Sequence[Atoms],
    arrays: FrameArrays,
    given: Any,
    inner: tuple[int, ...],
) -> np.ndarray:
    """Return numbers for each particle of all frames."""
    shape = (int(arrays.start[-1]), *inner)
    if given is None:
        for number, frame in enumerate(frames):
            if array not in frame.arrays:
                raise BadInput(f"frame {number} has no array {array!r}: {REMEDY} {argument}=")
        given = np.concatenate([frame.arrays[array] for frame in frames])

    try:
        return np.broadcast_to(np.asarray(given, dtype=float), shape).copy()
    except (TypeError, ValueError):
        raise BadInput(
            f"{argument} have shape {np.shape(given)}: they must be {shape}, for each particle of all "
            f"frames, or {inner}, for all alike"
        ) from None


def _require(arrays: FrameArrays, name: str, values: np.ndarray, good: Any, allowed: str) -> None:
    """Raise ``BadInput`` about the first particle whose values are not good or not finite."""
    good = good & np.isfinite(values.reshape(len(values), -1)).all(axis=1)
    for particle in np.flatnonzero(~good)[:1]:
        came = values[particle].tolist()
        raise BadInput(f"{arrays.where(int(particle))}: its {name} must be {allowed}, and is {came}")
