"""Ellipsoids repel each other by the overlap of their Gaussians, whose energy, forces and torques are known.

The frames are those of the set `ellipsoids`. Each particle is a Gaussian whose standard deviations are its
semi-axes. Two of them, a vector r apart and with the matrices A and B of their squared semi-axes along space,
have the energy exp(-r (A + B)^-1 r / 2) / sqrt(det(A + B)), in a unit of its own; images within 15 Angstrom
count. Each frame carries its `energy`, and `forces` and `torques` (in space) as arrays: exact derivatives of
a soft potential, which a linear model learns.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from ase import Atoms

from anisweep.datasets.generators import ellipsoids
from anisweep.datasets.generators._images import near_images

NAMES: dict[str, dict[str, Any]] = {"gaussian_overlap": {}}
FRAMES = 1000

REACH = 15.0

#: Labels are rounded to so many digits after the point, to be the same on every platform.
DIGITS = 9

Array = np.ndarray[Any, Any]


def generate(frames: int, seed: int) -> Iterator[Atoms]:
    """Yield canonical frames, with their labels."""
    for number in range(frames):
        frame = ellipsoids.frame(number, seed, ellipsoids.particles_of(number))
        energy, forces, torques = overlap(frame)
        frame.info["energy"] = round(energy, DIGITS)
        frame.arrays["forces"] = np.round(forces, DIGITS) + 0.0  # which is no minus zero
        frame.arrays["torques"] = np.round(torques, DIGITS) + 0.0
        yield frame


def overlap(frame: Atoms) -> tuple[float, Array, Array]:
    """Return the energy of a periodic frame, and forces and torques (particles, 3) in space."""
    axes = np.array([ellipsoids.axes(quaternion) for quaternion in frame.arrays["c_q"]])
    squares = (np.array(ellipsoids.DIAMETERS) / 2) ** 2
    shapes = np.einsum("pka,k,pkb->pab", axes, squares, axes)

    first, second, away = near_images(frame.cell.array, frame.positions, REACH)
    both = shapes[first] + shapes[second]
    inverse = np.linalg.inv(both)
    scaled = np.einsum("pab,pb->pa", inverse, away)
    terms = np.exp(-np.vecdot(scaled, away) / 2) / np.sqrt(np.linalg.det(both))

    # Each pair is there from both sides: what it does to the second particle, it does to all.
    forces = np.zeros((len(frame), 3))
    np.add.at(forces, second, terms[:, None] * scaled)

    by_shape = np.zeros_like(shapes)
    outer = scaled[:, :, None] * scaled[:, None, :] - inverse
    np.add.at(by_shape, second, terms[:, None, None] * outer / 2)

    product = shapes @ by_shape
    turning = product - product.swapaxes(1, 2)
    torques = -2 * turning[:, [1, 2, 0], [2, 0, 1]]
    return float(terms.sum()) / 2, forces, torques
