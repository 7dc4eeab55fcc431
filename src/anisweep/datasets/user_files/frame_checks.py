"""Refuse frames that have no meaning for a descriptor, with the same messages for every format."""

from __future__ import annotations

from typing import Any

import numpy as np
from ase import Atoms

from anisweep.cell import Hypers
from anisweep.datasets.errors import Place

#: Angstrom; from there on few digits after the point are left.
LARGEST = 1e9

#: Images of a particle within the cutoff: a cell that has more is a mistake, and never ends.
MOST_IMAGES = 10_000

#: The cutoff that is taken where none is known yet.
USUAL_CUTOFF = Hypers().cutoff_radius

#: The volume of a cell relative to that of a cuboid of the same edges, below which it is flat.
FLAT = 1e-6

#: Angstrom; particles that are less apart in a direction lie in one plane.
PLANE = 1e-6

#: Volumes of the unit ball in one, two and three dimensions.
BALLS = {1: 2.0, 2: np.pi, 3: 4 / 3 * np.pi}

ALLOWED = "a cell with a volume where the frame is periodic, or pbc in no direction"

NO_PBC = 'give the frame the cell that it has, or write pbc="F F F"'

Array = np.ndarray[Any, Any]


def check_frame(atoms: Atoms, place: Place, cutoff: float = USUAL_CUTOFF) -> None:
    """Refuse positions and cells that cannot be meant.

    Parameters
    ----------
    cutoff : Angstrom, within which images are counted

    Raises
    ------
    DataError
        For numbers that are not finite or too large, a periodic cell without volume, a placeholder in place
        of a cell, and one with more than 10,000 images of a particle within the cutoff.
    """
    _check_positions(atoms, place)

    beyond = np.argwhere(~(np.abs(atoms.cell.array) < LARGEST))
    if len(beyond):
        value = atoms.cell.array[tuple(beyond[0])]
        came = f"it holds {value}" if np.isfinite(value) else "it holds NaN or inf"
        allowed = f"finite lengths below {LARGEST:g} Angstrom"
        raise place.error("cell", came, allowed, "mend or remove this frame")

    vectors = atoms.cell.array[atoms.pbc]
    if len(vectors):
        _check_volume(atoms, vectors, place)
        _check_placeholder(atoms, place)
        _check_images(atoms, vectors, cutoff, place)


def check_fit(atoms: Atoms, diameters: Array, place: Place) -> None:
    """Refuse a periodic cell with an edge shorter than a particle, whichever way this is turned.

    Parameters
    ----------
    diameters : shape (N, 3), Angstrom

    Raises
    ------
    DataError
        When an edge of the cell along which it is periodic is shorter than all diameters of a particle.
    """
    edges = np.linalg.norm(atoms.cell.array, axis=1)
    smallest = diameters.min(axis=1)
    particle = int(smallest.argmax())

    for axis in np.flatnonzero(atoms.pbc & (edges < smallest[particle])):
        came = (
            f"its edge along {'abc'[axis]} is {edges[axis]:g} Angstrom, and particle {particle} is "
            f"{smallest[particle]:g} or more in every direction, so it would overlap its own image"
        )
        allowed = "periodic edges that are at least as long as the smallest diameter of each particle"
        raise place.error("cell", came, allowed, f"{NO_PBC}; or give smaller diameters")


def thin_direction(atoms: Atoms, cutoff: float) -> int | None:
    """Return the one periodic direction in which a plane of particles is repeated within a cutoff.

    It is ``None`` where there is none, and where there are several, as in a crystal of few particles.
    """
    cell = atoms.cell.complete()
    edges = cell.lengths()
    short = np.flatnonzero(atoms.pbc & (edges < cutoff))
    if not len(short):
        return None

    fractions = cell.scaled_positions(atoms.positions)
    apart = fractions - fractions[0]
    apart -= np.round(apart) * atoms.pbc
    plane = [int(axis) for axis in range(3) if np.abs(apart[:, axis]).max() * edges[axis] < PLANE]
    return plane[0] if len(plane) == 1 and plane[0] in short else None


def volume_of(vectors: Array) -> float:
    """Return the length, area or volume that some vectors span."""
    return float(np.prod(np.linalg.norm(vectors, axis=1))) * _relative_volume(vectors)


def _relative_volume(vectors: Array) -> float:
    """Return the volume relative to that of vectors at right angles: a small cell is not a flat one."""
    lengths = np.linalg.norm(vectors, axis=1)
    if not lengths.all():
        return 0.0

    units = vectors / lengths[:, None]
    return float(np.sqrt(max(0.0, np.linalg.det(units @ units.T))))


def _check_positions(atoms: Atoms, place: Place) -> None:
    broken = np.argwhere(~(np.abs(atoms.positions) < LARGEST))

    if len(broken):
        particle, axis = broken[0]
        came = f"particle {particle} has {'xyz'[axis]} = {atoms.positions[particle, axis]}"
        allowed = f"finite numbers below {LARGEST:g} Angstrom"
        raise place.error("positions", came, allowed, "mend or remove this frame")


def _check_volume(atoms: Atoms, vectors: Array, place: Place) -> None:
    if _relative_volume(vectors) > FLAT:
        return

    flags = " ".join("FT"[int(flag)] for flag in atoms.pbc)
    what = {1: "no length", 2: "no area", 3: "no volume"}[len(vectors)]
    came = f"pbc is {flags}, but the cell has {what} there: {atoms.cell.array.tolist()}"
    raise place.error("cell", came, ALLOWED, 'give the frame a Lattice="...", or write pbc="F F F"')


def _check_placeholder(atoms: Atoms, place: Place) -> None:
    """Refuse a cube of one Angstrom, which programs write where there is no cell."""
    extent = np.ptp(atoms.positions, axis=0).max()

    if atoms.pbc.all() and np.array_equal(atoms.cell.array, np.eye(3)) and extent > 1.0:
        came = (
            f"it is a cube of 1 Angstrom, which programs write where there is none, and the particles lie up "
            f"to {extent:.4g} Angstrom apart"
        )
        raise place.error("cell", came, "the cell of the particles, or pbc in no direction", NO_PBC)


def _check_images(atoms: Atoms, vectors: Array, cutoff: float, place: Place) -> None:
    volume = max(volume_of(vectors), np.finfo(float).tiny)
    images = BALLS[len(vectors)] * cutoff ** len(vectors) / volume

    if images > MOST_IMAGES:
        lengths = " x ".join(f"{length:.4g}" for length in atoms.cell.lengths())
        came = (
            f"its edges are {lengths} Angstrom, so that a particle has {images:.3g} images within "
            f"{cutoff:g} Angstrom"
        )
        allowed = f"a periodic cell with at most {MOST_IMAGES:,} images of a particle within the cutoff"
        raise place.error("cell", came, allowed, f"check its units; {NO_PBC}, or take a smaller cutoff")
