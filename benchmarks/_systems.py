"""Make the frames that are timed."""

from __future__ import annotations

import io
import lzma
import os
from dataclasses import dataclass, replace
from functools import cache, cached_property
from pathlib import Path

import ase.io
import numpy as np
from ase import Atoms

from anisweep.descriptors.kernels.pairs import Pairs, find_pairs
from benchmarks._contenders import CUTOFF, projection

DISC = (3.0, 3.0, 1.0)
SPHERE = (2.0, 2.0, 2.0)

#: Particles per cubic Angstrom at which a cutoff of 7 A holds about 89 of them.
DENSITY = 0.0621


@dataclass(frozen=True)
class System:
    """Frames under a name."""

    name: str
    frames: list[Atoms]

    @cached_property
    def pairs(self) -> int:
        """Ordered pairs within the cutoff, without the particles themselves."""
        return self.within(CUTOFF)

    def within(self, cutoff: float) -> int:
        """Pairs within another cutoff."""
        return len(self.neighbours(cutoff).centre)

    def neighbours(self, cutoff: float = CUTOFF) -> Pairs:
        arrays = projection((1, None)).gather(self.frames)
        return find_pairs(arrays, range(len(self.frames)), cutoff, self_pairs=False)

    def first(self, frames: int) -> System:
        """The same with fewer frames."""
        return replace(self, frames=self.frames[:frames])


def shaped(frame: Atoms, diameters: tuple[float, float, float]) -> Atoms:
    """The frame with one shape for all particles."""
    for axis, diameter in enumerate(diameters, start=1):
        frame.set_array(f"c_diameter[{axis}]", np.full(len(frame), diameter))
    return frame


@cache
def ellipsoids(count: int | None) -> System:
    """The real frames where ANISWEEP_DATA has them, else made ones of their size and density."""
    folder = os.environ.get("ANISWEEP_DATA")

    if folder:
        text = lzma.decompress((Path(folder) / "ellipsoids.xyz.xz").read_bytes()).decode()
        frames = ase.io.read(io.StringIO(text), ":" if count is None else f":{count}", format="extxyz")
        return System("ellipsoids", [shaped(frame, DISC) for frame in frames])

    counts = np.random.default_rng(0).integers(1, 3, 6826 if count is None else count)
    made = [dense(int(n), DISC, seed, density=1 / 193.494) for seed, n in enumerate(counts)]
    return System("ellipsoids (made)", made)


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


def dense_frames(
    name: str, diameters: tuple[float, float, float], species: int = 1, frames: int = 50
) -> System:
    """Frames of 20 particles: in 50 of them about 89,000 pairs."""
    return System(name, [dense(20, diameters, seed, species) for seed in range(frames)])
