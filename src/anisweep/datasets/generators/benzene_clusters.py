"""Isolated clusters of two to four benzenes, as ellipsoids, carry an energy to learn: that of GFN2-xTB.

Rigid benzenes, as in the set `benzenes`, have random orientations: each further one stands 3.5 to 7 Angstrom
from another, in a random direction, and no atoms of two molecules are nearer than 2.6 Angstrom. So they
attract each other, or hardly feel each other. Of each molecule an ellipsoid of diameters (4, 4, 0.5)
Angstrom remains, at its centre of mass, with body axis 3 along the axis of its largest moment of inertia.

Each cluster carries `interaction_energy`: its energy less that of as many lone molecules, divided by their
number, in eV, rounded to six digits. The method is GFN2-xTB (J. Chem. Theory Comput. 15, 1652 (2019)) as
tblite computes it on one thread. Between processors the energies differ by about 1e-12 eV, so the rounded
ones are the same everywhere.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import numpy as np
from ase import Atoms

from anisweep.datasets.canonical import ENERGY, canonical
from anisweep.datasets.errors import DataError
from anisweep.datasets.generators.benzenes import CARBON, HYDROGEN, SYMBOLS

NAMES: dict[str, dict[str, Any]] = {"benzene_clusters": {}}
FRAMES = 500

SIZES = (2, 3, 4)

#: Of centres: the nearest have the deepest well of stacked molecules, the farthest hardly interact.
NEAREST, FARTHEST = 3.5, 7.0

#: Of atoms of two molecules; with a smaller one, the repulsion would be most of what there is to learn.
CONTACT = 2.6

DIAMETERS = (4.0, 4.0, 0.5)

#: Of tblite's own limits: the energy is then converged to 1e-10 eV, far below its rounded digits.
ACCURACY = 0.01
DIGITS = 6

Array = np.ndarray[Any, Any]


def generate(frames: int, seed: int) -> Iterator[Atoms]:
    """Yield canonical frames, with their energies."""
    for number in range(frames):
        molecules = cluster(number, seed)
        frame = ellipsoids_of(molecules)
        frame.info[ENERGY] = round(energy_per_molecule(molecules), DIGITS)
        yield frame


def shapes(frames: int, seed: int) -> Iterator[Atoms]:
    """Yield the same frames without the energies, which take long."""
    for number in range(frames):
        yield ellipsoids_of(cluster(number, seed))


def cluster(number: int, seed: int) -> list[Atoms]:
    """Return the molecules of frame ``number``; the sizes take turns."""
    rng = np.random.default_rng([seed, number])
    molecules = [_benzene(rng, np.zeros(3))]

    while len(molecules) < SIZES[number % len(SIZES)]:
        neighbour = molecules[int(len(molecules) * rng.random())]
        distance = NEAREST + (FARTHEST - NEAREST) * rng.random()
        added = _benzene(rng, neighbour.get_center_of_mass() + distance * _direction(rng))

        if all(_nearest(added, other) > CONTACT for other in molecules):
            molecules.append(added)

    return molecules


def _benzene(rng: np.random.Generator, centre: Array) -> Atoms:
    """Return a benzene in a random orientation.

    Its ring lies across one random direction, and is turned to another.
    """
    normal = _direction(rng)
    along = np.cross(normal, _direction(rng))
    along /= math.sqrt(along @ along)

    angles = np.arange(6) * (np.pi / 3)
    hexagon = np.column_stack([np.cos(angles), np.sin(angles)])
    flat = np.concatenate([CARBON * hexagon, HYDROGEN * hexagon])

    return Atoms(SYMBOLS, positions=centre + flat @ [along, np.cross(normal, along)])


def _direction(rng: np.random.Generator) -> Array:
    """Return a uniformly distributed unit vector, by rejection from the cube."""
    while True:
        vector = 2 * rng.random(3) - 1
        norm = math.sqrt(vector @ vector)
        if 0.1 < norm < 1:
            return np.asarray(vector / norm)


def _nearest(one: Atoms, other: Atoms) -> float:
    between = one.positions[:, None] - other.positions
    return math.sqrt((between**2).sum(axis=-1).min())


def ellipsoids_of(molecules: list[Atoms]) -> Atoms:
    """Return a canonical frame without a cell: one ellipsoid for each molecule.

    Numbers are rounded, so that the bytes are the same on every platform; what rounds to nothing may come
    with either sign, which an added zero takes away.
    """
    centres = np.round([molecule.get_center_of_mass() for molecule in molecules], 8) + 0.0
    quaternions = np.round([orientation(molecule) for molecule in molecules], 8) + 0.0
    return canonical(Atoms(["X"] * len(molecules), positions=centres), quaternions, DIAMETERS)


def orientation(molecule: Atoms) -> list[float]:
    """Return a quaternion (w, x, y, z) that turns body axis 3 to the axis of the largest moment.

    The quaternion is not normalised. The other two moments of benzene are equal, so their axes may be any in
    the plane, and an eigenvector has no sign. The shortest turn to the axis is the same rotation whatever
    eigenvectors came.
    """
    _, axes = molecule.get_moments_of_inertia(vectors=True)
    x, y, z = axes[2] * math.copysign(1.0, axes[2][2])
    return [1 + z, -y, x, 0.0]


def energy_per_molecule(molecules: list[Atoms]) -> float:
    """Return the interaction energy per molecule in eV; all molecules are alike."""
    together = molecules[0].copy()
    for molecule in molecules[1:]:
        together.extend(molecule)

    return _energy(together) / len(molecules) - _energy(molecules[0])


def _energy(atoms: Atoms) -> float:
    """Return the total energy in eV."""
    from threadpoolctl import threadpool_limits

    try:
        from tblite.ase import TBLite
    except ImportError as error:
        raise DataError(
            "data set benzene_clusters",
            f"tblite, which computes its energies, cannot be imported ({error})",
            "a machine with tblite: `make env` and `make submit-env` install it on Linux on x86-64, where it "
            "needs the library libgomp (Debian, Ubuntu: `sudo apt-get install libgomp1`)",
            "copy data/benzene_clusters-* from such a machine, or leave the data set out of the study",
        ) from error

    # For molecules as small as these a second thread only waits.
    with threadpool_limits(1):
        atoms.calc = TBLite(method="GFN2-xTB", accuracy=ACCURACY, verbosity=0)
        return float(atoms.get_potential_energy())
