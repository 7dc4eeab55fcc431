"""Find what moves besides a model: masses, moments of inertia and units; and refuse what cannot move."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from ase import Atoms, units

from anisweep.descriptors.arrays import FrameArrays
from anisweep.descriptors.errors import BadInput


class UnitSystem(NamedTuple):
    """Hold what follows from a unit of energy, with Angstrom, u, fs and K."""

    boltzmann: float
    acceleration: float  # of one u by one energy per Angstrom, in Angstrom per fs^2
    style: str  # of LAMMPS
    time: float  # one fs in LAMMPS


KCAL = units.kcal / units.mol

#: By the unit of energy. In reduced units temperatures are energies.
UNIT_SYSTEMS = {
    "eV": UnitSystem(units.kB, units.fs**2, "metal", 1e-3),
    "kcal/mol": UnitSystem(units.kB / KCAL, units.fs**2 * KCAL, "real", 1.0),
    "reduced": UnitSystem(1.0, 1.0, "lj", 1.0),
}


def units_of(model: Any, unit: str | None, sharp_cutoff: bool) -> UnitSystem:
    """Return the units of a model, or raise ``BadInput`` for one that cannot be moved with."""
    if not model.projection.tables.smoothing and not sharp_cutoff:
        raise BadInput(
            "the energy jumps where a neighbour crosses the sharp cutoff of this model, so no dynamics "
            "conserve it: fit a projection with cutoff_smoothing, for example 1.0; or say sharp_cutoff=True"
        )

    name = model.unit if unit is None else unit
    if name not in UNIT_SYSTEMS:
        allowed = ", ".join(map(repr, UNIT_SYSTEMS))
        raise BadInput(f"the unit of energy is {name!r}: give unit=, here or to the fit, one of {allowed}")
    return UNIT_SYSTEMS[name]


def forget_labels(frame: Atoms) -> None:
    """Remove energy, forces, time and the like from a copy of the frame that a run started from."""
    for name in ("energy", "stress", "virial", "time", "timestep"):
        frame.info.pop(name, None)
    for name in ("forces", "torques"):
        frame.arrays.pop(name, None)


def motion_of(name: str, frames: list[Atoms], arrays: FrameArrays) -> np.ndarray:
    """Return the frames' array of this name, three numbers a particle; zeros where a frame has none."""
    given = [frame.arrays.get(name, np.zeros((len(frame), 3))) for frame in frames]
    wrong = [number for number, each in enumerate(given) if each.shape[1:] != (3,)]
    if wrong:
        raise BadInput(f"frame {wrong[0]}: {name} must be three numbers for each particle")

    values = np.concatenate(given).astype(float)
    for particle in np.flatnonzero(~np.isfinite(values).all(axis=1)):
        raise BadInput(f"{arrays.where(int(particle))}: {name} must be finite")
    return values


def numbers_of(
    name: str, given: Any, frames: list[Atoms], arrays: FrameArrays, inner: tuple[int, ...] = ()
) -> np.ndarray:
    """Return numbers for each particle that are not negative: given, or the frames' array of this name."""
    shape = (int(arrays.start[-1]), *inner)
    bare = [number for number, frame in enumerate(frames) if given is None and name not in frame.arrays]
    if bare:
        raise BadInput(f"frame {bare[0]} has no array {name!r}, which `anisweep coarsen` writes: give it")

    values = np.asarray(np.concatenate([frame.arrays[name] for frame in frames]) if given is None else given)
    if values.dtype.kind not in "fiu" or values.shape not in (shape, inner):
        raise BadInput(f"{name} must be numbers of shape {shape}, or {inner}, not {given!r:.80}")

    values = np.broadcast_to(values.astype(float), shape).copy()
    lowest = 0.0 if inner else np.nextafter(0, 1)
    for particle in np.flatnonzero(~((values >= lowest) & (values < np.inf)).reshape(len(values), -1).all(1)):
        came = values[particle].tolist()
        raise BadInput(f"{arrays.where(int(particle))}: {name} must be positive and finite, and is {came}")
    return values


def solid_ellipsoid(masses: Any, diameters: Any) -> np.ndarray:
    """Return the moments of inertia of solid ellipsoids, as LAMMPS has them; those of molecules differ.

    Parameters
    ----------
    masses : float or array, shape (particles,)
        In u.
    diameters : array, shape (3,) or (particles, 3)
        In Angstrom.

    Returns
    -------
    ndarray, shape (3,) or (particles, 3)
        About the body axes, in u Angstrom^2.

    Examples
    --------
    >>> solid_ellipsoid(10.0, [2.0, 2.0, 4.0]).tolist()
    [10.0, 10.0, 4.0]
    """
    squares = np.asarray(diameters, dtype=float) ** 2 / 4
    moments: np.ndarray = np.asarray(masses)[..., None] / 5 * (squares.sum(axis=-1, keepdims=True) - squares)
    return moments
