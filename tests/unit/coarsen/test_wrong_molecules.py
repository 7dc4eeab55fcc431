"""What cannot be coarsened: each message names frame and molecule, what came, and what to do."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import known_molecules as known
import numpy as np
import pytest
from ase import Atoms
from known_molecules import placed, spread
from scipy.spatial.transform import Rotation

from anisweep.coarsen import CoarseOptions, coarse_frames
from anisweep.datasets import DataError


def frame() -> Atoms:
    """Water, benzene and water, with forces and masses."""
    found = placed([known.WATER, known.BENZENE, known.WATER], spread(3), Rotation.random(3, 2))
    found.arrays["forces"] = np.ones((18, 3))
    found.arrays["mass"] = found.get_masses()
    return found


def changed(change: Callable[[Atoms], Any]) -> Atoms:
    found = frame()
    change(found)
    return found


def put(name: str, place: Any, value: Any) -> Atoms:
    return changed(lambda found: found.arrays[name].__setitem__(place, value))


def without(*names: str) -> Atoms:
    return changed(lambda found: [found.arrays.pop(name) for name in names])


def moved_to_the_other_molecule() -> Atoms:
    found = frame()
    found.arrays["mol"][0] = 3
    return found


def lists(*atoms: Any) -> dict[str, Any]:
    return {"molecules": list(atoms)}


BEADS = Atoms("X", positions=[[0, 0, 0]])
BEADS.arrays["mol"] = np.array([5])

WRONG: dict[str, tuple[list[Atoms], dict[str, Any], str]] = {
    "no molecules": ([without("mol")], {}, "frame 0, molecules: no array mol says it"),
    "another array": ([frame()], {"molecules": "body"}, "frame 0, molecules: no array body says it"),
    "no whole numbers": ([frame()], {"molecules": "mass"}, "frame 0, array mass: its first value is 15.999"),
    "below zero": ([put("mol", 4, -1)], {}, "frame 0, array mol: atom 4 is in molecule -1"),
    "no mass": ([BEADS], {}, "frame 0, molecule 5, atom 0, mass: species X has"),
    "mass NaN": ([put("mass", 4, np.nan)], {}, "frame 0, molecule 2, atom 4, mass: species C has no mass"),
    "mass zero": ([put("mass", 4, 0)], {}, "frame 0, molecule 2, atom 4, mass: species C has 0"),
    "mass of none": ([frame()], {"masses": {"N": 14.0}}, "frame 0, masses: no atom is of species N"),
    "force NaN": ([frame(), put("forces", (17, 1), np.nan)], {}, "frame 1, molecule 3, atom 17, force: y is"),
    "place NaN": ([put("positions", (3, 2), np.inf)], {}, "frame 0, molecule 2, atom 3, position: z is inf"),
    "forces gone": ([frame(), without("forces")], {}, "frame 1, forces: the first frame has them"),
    "forces not named": ([frame()], {"forces": "f1,f2,f3"}, "frame 0, forces: there is no f1, f2, f3"),
    "forces of one column": ([frame()], {"forces": "mass"}, "frame 0, forces: they are float64 of shape"),
    "an atom gone": ([frame(), frame()[:-1]], {}, "frame 1, molecule 3: it has 2 atoms, and in the first"),
    "a molecule gone": ([frame(), frame()[3:]], {}, "frame 1, molecule 1: it has 0 atoms"),
    "an atom elsewhere": (
        [frame(), moved_to_the_other_molecule()],
        {},
        "frame 1, molecule 1: it has 2 atoms",
    ),
    "another species": ([frame(), put("numbers", 3, 7)], {}, "frame 1, molecule 2, atom"),
    "another mass": ([frame(), put("mass", 0, 18.0)], {}, "frame 1, molecule 1, atom 0, kind: it is one of"),
    "too few names": ([frame()], {"names": ("A",)}, "frame 0, names: 2 kinds of molecules are there, and A"),
    "one name twice": ([frame()], {"names": ("A", "A")}, "frame 0, names: 2 kinds"),
    "atoms of two molecules": (
        [frame()],
        lists([0, 1, 2], [4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15]),
        "frame 0, molecule 1, atom 15, position: it is",
    ),
    "an atom that is not there": ([frame()], lists([0, 99]), "molecule 0 is to have the atom 99"),
    "an atom twice": ([frame()], lists([0, 1], [1, 2]), "atom 1 is in molecule 0 and in molecule 1"),
    "a molecule of nothing": ([frame()], lists([0], []), "molecule 1 has no atoms"),
    "no lists": ([frame()], lists(), "frame 0, molecules: there are none"),
    "no numbers of atoms": ([frame()], lists([0.5, 1.5]), "molecule 0 is to have the atom 0.5"),
    "a bond too long": ([frame()], {"longest_bond": 1.0}, "frame 0, molecule 2, atom"),
}


@pytest.mark.parametrize("kind", WRONG)
def test_the_message_names_frame_and_molecule(kind):
    frames, options, words = WRONG[kind]
    with pytest.raises(DataError) as raised:
        list(coarse_frames(frames, CoarseOptions(**options), "some.dump"))

    assert str(raised.value).startswith("some.dump, frame")
    assert words in str(raised.value)


def test_units_that_contradict_the_file_are_refused():
    said = frame()
    said.info["units"] = "metal"
    with pytest.raises(DataError, match="real is asked for, and the file says metal"):
        list(coarse_frames([said], CoarseOptions(units="real")))


def test_a_long_bond_is_allowed_to_those_who_ask_for_it():
    far = known.molecule("C C C Si", [[0, 0, 0], [1.5, 0, 0], [3, 0, 0], [7, 0, 0]])
    frames = [placed([far], spread(1), Rotation.identity(1))]
    with pytest.raises(DataError, match="frame 0, molecule 1, atom 3, position: it is 4 from all"):
        list(coarse_frames(frames))

    assert list(coarse_frames(frames, CoarseOptions(longest_bond=4.1)))
