"""The frames that are timed."""

from __future__ import annotations

import io
import lzma
import os
from pathlib import Path

import ase.io
import numpy as np
from ase import Atoms

DISC = (3.0, 3.0, 1.0)
SPHERE = (2.0, 2.0, 2.0)

#: Particles per cubic Angstrom at which a cutoff of 7 A holds about 89 of them.
DENSITY = 0.0621


def shaped(frame: Atoms, diameters: tuple[float, float, float]) -> Atoms:
    """The frame with one shape for all particles."""
    for axis, diameter in enumerate(diameters, start=1):
        frame.set_array(f"c_diameter[{axis}]", np.full(len(frame), diameter))
    return frame


def ellipsoids(count: int | None) -> tuple[str, list[Atoms]]:
    """The real frames where ANISWEEP_DATA has them, else made ones of their size and density."""
    folder = os.environ.get("ANISWEEP_DATA")

    if folder:
        text = lzma.decompress((Path(folder) / "ellipsoids.xyz.xz").read_bytes()).decode()
        frames = ase.io.read(io.StringIO(text), ":" if count is None else f":{count}", format="extxyz")
        return "real", [shaped(frame, DISC) for frame in frames]

    counts = np.random.default_rng(0).integers(1, 3, 6826 if count is None else count)
    return "made", [dense(int(n), DISC, seed, density=1 / 193.494) for seed, n in enumerate(counts)]


def dense(
    particles: int,
    diameters: tuple[float, float, float],
    seed: int,
    species: int = 1,
    density: float = DENSITY,
) -> Atoms:
    """A cubic periodic cell of particles at random places."""
    generator = np.random.default_rng(seed)
    edge = (particles / density) ** (1 / 3)
    frame = Atoms(
        1 + np.arange(particles) % species,
        positions=generator.uniform(0, edge, (particles, 3)),
        cell=np.eye(3) * edge,
        pbc=True,
    )
    frame.set_array("c_q", generator.normal(size=(particles, 4)))
    return shaped(frame, diameters)


def dense_frames(diameters: tuple[float, float, float], species: int = 1) -> list[Atoms]:
    """50 frames of 20 particles: about 89,000 pairs."""
    return [dense(20, diameters, seed, species) for seed in range(50)]
