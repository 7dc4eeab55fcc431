"""Ellipsoids shaped like benzene stand in periodic cells of one or two.

Each frame is a random triclinic cell with one or two flat ellipsoids of diameters (3, 3, 1) Angstrom in
random orientations, like a coarse-grained library of hypothetical benzene crystals: 193.494 cubic Angstrom
a particle, 61 % of the frames with two particles, edges from about 3 to 15 Angstrom, mostly right angles
with two particles and oblique ones with one. A frame is drawn again until the hydrogen rings of no two
molecules come closer than 1.5 Angstrom.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import numpy as np
from ase import Atoms

from anisweep.datasets.canonical import canonical
from anisweep.datasets.generators._images import near_images

NAMES: dict[str, dict[str, Any]] = {"ellipsoids": {}}
FRAMES = 1000

VOLUME = 193.494
DIAMETERS = (3.0, 3.0, 1.0)

SHARE_OF_TWO = 0.6106
GOLDEN = (math.sqrt(5.0) - 1.0) / 2.0

RING = 2.48
CONTACT = 1.5

Array = np.ndarray[Any, Any]


def generate(frames: int, seed: int) -> Iterator[Atoms]:
    """Yield canonical frames, one or two ellipsoids in each."""
    for number in range(frames):
        yield frame(number, seed, particles_of(number))


def particles_of(number: int) -> int:
    """Return one or two, spread by the golden ratio: every run of frames has the same share of both."""
    return 2 if (number * GOLDEN) % 1.0 < SHARE_OF_TWO else 1


def frame(number: int, seed: int, particles: int) -> Atoms:
    """Draw frame ``number`` until its molecules do not overlap.

    The bytes must be the same on every platform. So only uniform numbers are drawn, quaternions need
    nothing but a square root, and what passes through other functions is rounded.
    """
    rng = np.random.default_rng([seed, number, particles])

    while True:
        cell = np.round(_cell(rng, particles), 8)
        positions = np.round(rng.random((particles, 3)) @ cell, 8)
        quaternions = np.array([_quaternion(rng) for _ in range(particles)])

        if not _overlap(cell, positions, quaternions):
            atoms = Atoms(["X"] * particles, positions=positions, cell=cell, pbc=True)
            return canonical(atoms, quaternions, DIAMETERS)


def _cell(rng: np.random.Generator, particles: int) -> Array:
    """Draw a lower triangular cell of the right volume, in shares of its cube's edge."""
    edge = (VOLUME * particles) ** (1.0 / 3.0)
    tilted = 0.55 if particles == 1 else 0.15

    while True:
        # Sums of two uniform numbers: middling shapes are the most frequent.
        x, y = 0.4 + 0.55 * rng.random((2, 2)).sum(axis=1)
        z = 1.0 / (x * y)
        if 0.45 < z < 2.6:
            break

    tilts = (rng.random(3) - 0.5) * (rng.random(3) < tilted)
    shape = np.array([[x, 0.0, 0.0], [tilts[0] * x, y, 0.0], [tilts[1] * x, tilts[2] * y, z]])
    return np.asarray(edge * shape)


def _quaternion(rng: np.random.Generator) -> list[float]:
    """Draw a uniformly distributed rotation: a direction in four dimensions, by rejection from the cube."""
    while True:
        w, x, y, z = (2.0 * float(number) - 1.0 for number in rng.random(4))
        norm = math.sqrt(w * w + x * x + y * y + z * z)
        if 0.1 < norm < 1.0:
            return [w / norm, x / norm, y / norm, z / norm]


def axes(quaternion: Array) -> Array:
    """Return (3, 3) the body axes in the lab frame, one a row, for a unit quaternion."""
    w, x, y, z = quaternion
    return np.array(
        [
            [1 - 2 * (y * y + z * z), 2 * (x * y + w * z), 2 * (x * z - w * y)],
            [2 * (x * y - w * z), 1 - 2 * (x * x + z * z), 2 * (y * z + w * x)],
            [2 * (x * z + w * y), 2 * (y * z - w * x), 1 - 2 * (x * x + y * y)],
        ]
    )


def _overlap(cell: Array, positions: Array, quaternions: Array) -> bool:
    """Return True if points on the rings of two molecules come closer than ``CONTACT``."""
    first, second, vectors = near_images(cell, positions, reach=2 * RING + CONTACT)
    if (np.sqrt((vectors**2).sum(axis=1)) < CONTACT).any():
        return True

    turns = np.arange(12) * (np.pi / 6)
    circle = RING * np.column_stack([np.cos(turns), np.sin(turns)])
    rings = np.array([circle @ axes(quaternion)[:2] for quaternion in quaternions])

    between = vectors[:, None, None] + rings[second][:, None, :] - rings[first][:, :, None]
    return bool(((between**2).sum(axis=-1) < CONTACT**2).any())
