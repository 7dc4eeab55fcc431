"""Ellipsoids attract each other by the potential of Gay and Berne, whose energy is to be learned.

The frames are those of the set `ellipsoids` whose lattice energy is below zero, about 96 %; in the others
molecules are inside each other. Each carries `interaction_energy`, the energy per molecule in units of
epsilon: half the sum over the other molecules and images within 15 Angstrom of the Gay-Berne potential
(J. Chem. Phys. 74, 3316 (1981)) for discs, with contacts at 4.8 Angstrom edge to edge and 1.6 face to face,
well depths as 1 to 5, mu = 1 and nu = 2 (Emerson, Luckhurst and Whatling, Mol. Phys. 82, 113 (1994)).
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count, islice
from typing import Any

import numpy as np
from ase import Atoms

from anisweep.datasets.canonical import ENERGY
from anisweep.datasets.generators import ellipsoids
from anisweep.datasets.generators._images import near_images

NAMES: dict[str, dict[str, Any]] = {"gay_berne": {}}
FRAMES = 500

EDGE, FACE = 4.8, 1.6
DEPTHS = 0.2
MU, NU = 1, 2

REACH = 15.0

#: The potential has a pole at zero, and wells beyond it.
CLOSEST = 0.5 * FACE

Array = np.ndarray[Any, Any]


def generate(frames: int, seed: int) -> Iterator[Atoms]:
    """Yield canonical frames, with their energies."""
    return islice(_attractive(seed), frames)


def _attractive(seed: int) -> Iterator[Atoms]:
    for number in count():
        frame = ellipsoids.frame(number, seed, ellipsoids.particles_of(number))
        energy = energy_per_molecule(frame)
        if energy < 0:
            frame.info[ENERGY] = energy
            yield frame


def energy_per_molecule(frame: Atoms) -> float:
    """Return the energy per molecule, rounded to be the same on every platform."""
    axes = np.array([ellipsoids.axes(quaternion)[2] for quaternion in frame.arrays["c_q"]])
    first, second, vectors = near_images(frame.cell.array, frame.positions, REACH)
    return round(float(pair_energies(axes[first], axes[second], vectors).sum()) / (2 * len(frame)), 8)


def pair_energies(ones: Array, others: Array, vectors: Array) -> Array:
    """Return energies (pairs,) of molecules ``vectors`` apart, with axes ``ones`` and ``others``.

    All three are (pairs, 3), and the axes are unit vectors.
    """
    distances = np.sqrt((vectors**2).sum(axis=1))
    directions = vectors / distances[:, None]
    one, other = (directions * ones).sum(axis=1), (directions * others).sum(axis=1)
    both = (ones * others).sum(axis=1)

    ratio = FACE / EDGE
    shape = (ratio**2 - 1) / (ratio**2 + 1)
    root = DEPTHS ** (1 / MU)  # face to face the well is deeper: 1 / DEPTHS
    depth = (1 - 1 / root) / (1 + 1 / root)

    contact = EDGE / np.sqrt(1 - _anisotropy(one, other, both, shape))
    strength = (1 - (shape * both) ** 2) ** (-NU / 2) * (1 - _anisotropy(one, other, both, depth)) ** MU

    inverse = FACE / np.maximum(distances - contact + FACE, CLOSEST)
    return np.asarray(4 * strength * (inverse**12 - inverse**6))


def _anisotropy(one: Array, other: Array, both: Array, chi: float) -> Array:
    """Return the anisotropy of the contact distance for the shape's chi, of the well depth for its own."""
    plus = (one + other) ** 2 / (1 + chi * both)
    minus = (one - other) ** 2 / (1 - chi * both)
    return np.asarray(chi / 2 * (plus + minus))
