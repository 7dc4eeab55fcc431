"""One to four species label the same 24-atom frames, so that the size stays constant.

The frames are cells of two rigid benzene molecules, made as in the set `benzenes`. Their atoms are relabelled
in turn with one (C), two (C, H), three (C, H, N) or four (C, H, N, O) species, so the number of particles and
of pairs is the same in all four sets, and each species is as frequent as the others. The labels have no
chemical meaning: only the cost of more species is to be seen.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ase import Atoms

from anisweep.datasets.generators import benzenes, ellipsoids

NAMES: dict[str, dict[str, Any]] = {
    "one_species": {"species": ["C"]},
    "two_species": {"species": ["C", "H"]},
    "three_species": {"species": ["C", "H", "N"]},
    "four_species": {"species": ["C", "H", "N", "O"]},
}
FRAMES = 100


def generate(frames: int, seed: int, species: list[str]) -> Iterator[Atoms]:
    """Yield canonical frames of 24 atoms, whose labels follow each other in turn."""
    for number in range(frames):
        atoms = benzenes.atomistic(ellipsoids.frame(number, seed, particles=2))
        atoms.symbols = [species[index % len(species)] for index in range(len(atoms))]
        yield atoms
