"""All-atom benzenes stand where the ellipsoids of the set `ellipsoids` stand, frame for frame.

A rigid C6H6 (C at 1.395, H at 2.480 Angstrom from the centre) stands on each ellipsoid of the set
`ellipsoids`, its ring normal along body axis 3, in the same cell. Its angle in the plane minimises the sum
of r^-12 over the atoms of different molecules and images, in steps of 5 degrees. Atoms have identity
orientations and diameters (3, 3, 1) Angstrom.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from ase import Atoms

from anisweep.datasets.canonical import IDENTITY, canonical
from anisweep.datasets.generators import ellipsoids
from anisweep.datasets.generators._images import near_images

NAMES: dict[str, dict[str, Any]] = {"benzenes": {}}
FRAMES = 200

DIAMETERS = (3.0, 3.0, 1.0)

CARBON = 1.395
HYDROGEN = 2.480
SYMBOLS = ["C"] * 6 + ["H"] * 6

#: Centres farther apart than this do not decide the angle: their atoms are more than 4 Angstrom apart.
REACH = 9.0

# Benzene looks the same after a turn of 60 degrees.
TURNS = np.deg2rad(np.arange(0, 60, 5))

Array = np.ndarray[Any, Any]


def generate(frames: int, seed: int) -> Iterator[Atoms]:
    """Yield canonical frames of 12 or 24 atoms."""
    for coarse in ellipsoids.generate(frames, seed):
        yield atomistic(coarse)


def atomistic(coarse: Atoms) -> Atoms:
    """Return the benzene molecules of a frame of ellipsoids, as a canonical frame of atoms."""
    shapes = np.array([_turned(quaternion) for quaternion in coarse.arrays["c_q"]])
    chosen = _best_turns(coarse, shapes)

    molecules = [
        centre + shape[turn] for centre, shape, turn in zip(coarse.positions, shapes, chosen, strict=True)
    ]
    positions = np.round(np.concatenate(molecules), 8)

    atoms = Atoms(SYMBOLS * len(coarse), positions=positions, cell=coarse.cell, pbc=True)
    return canonical(atoms, IDENTITY, DIAMETERS)


def _turned(quaternion: Array) -> Array:
    """Return (turns, 12, 3): one molecule about its centre, for each angle in its plane."""
    angles = TURNS[:, None] + np.arange(6) * (np.pi / 3)
    hexagon = np.stack([np.cos(angles), np.sin(angles)], axis=-1)

    flat = np.concatenate([CARBON * hexagon, HYDROGEN * hexagon], axis=1)
    return flat @ ellipsoids.axes(quaternion)[:2]


def _best_turns(coarse: Atoms, shapes: Array) -> tuple[int, ...]:
    """Return the angles, by their numbers in ``TURNS``, that together give the least repulsion."""
    first, second, vectors = near_images(coarse.cell.array, coarse.positions, REACH)
    total = np.zeros([len(TURNS)] * len(coarse))

    for one, other, vector in zip(first, second, vectors, strict=True):
        if one == other:
            # A molecule turns together with its own image; each pair of images is met from both sides.
            own = _repulsion(shapes[one], shapes[one] + vector) / 2
            total += own.reshape([-1 if axis == one else 1 for axis in range(total.ndim)])
        elif one < other:
            total += _repulsion(shapes[one][:, None], shapes[other] + vector)

    return tuple(int(turn) for turn in np.unravel_index(total.argmin(), total.shape))


def _repulsion(atoms: Array, others: Array) -> Array:
    """Return the sum of r^-12 between two molecules, over the leading axes of both."""
    between = atoms[..., :, None, :] - others[..., None, :, :]
    inverse = 1.0 / np.einsum("...x,...x", between, between)
    return np.asarray((inverse**6).sum(axis=(-2, -1)))
