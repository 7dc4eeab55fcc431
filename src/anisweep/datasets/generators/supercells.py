"""Crystals of 24 to 1,152 atoms have one to four species, so that only the size grows, or only the species.

A cell of two rigid benzene molecules, made as in the set `benzenes`, is repeated along its edges; then every
atom is moved by up to 0.02 Angstrom along each axis, so that no two of them see the same surroundings. So the
number of pairs grows as the number of atoms. The atoms are relabelled in turn with one (C), two (C, H), three
(C, H, N) or four (C, H, N, O) species, as in the sets `one_species` to `four_species`: sets of one size have
the same pairs. `n96_z2` has 96 atoms of two species. The labels have no chemical meaning.
"""

from __future__ import annotations

from collections.abc import Iterator
from math import prod
from typing import Any

import numpy as np
from ase import Atoms

from anisweep.datasets.generators import benzenes, ellipsoids

REPEATS = [(1, 1, 1), (2, 2, 1), (4, 2, 2), (4, 4, 3)]
SPECIES = ["C", "H", "N", "O"]

NAMES: dict[str, dict[str, Any]] = {
    f"n{24 * prod(repeat)}_z{count}": {"repeat": list(repeat), "species": SPECIES[:count]}
    for repeat in REPEATS
    for count in range(1, len(SPECIES) + 1)
}
FRAMES = 10

MOVED = 0.02


def generate(frames: int, seed: int, repeat: list[int], species: list[str]) -> Iterator[Atoms]:
    """Yield canonical frames of one crystal each, whose labels follow each other in turn."""
    for number in range(frames):
        crystal = benzenes.atomistic(ellipsoids.frame(number, seed, particles=2)).repeat(repeat)
        moves = np.random.default_rng([seed, number, len(crystal)]).uniform(-MOVED, MOVED, (len(crystal), 3))

        crystal.positions = np.round(crystal.positions + moves, 8)
        crystal.symbols = [species[index % len(species)] for index in range(len(crystal))]
        yield crystal
