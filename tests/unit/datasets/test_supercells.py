"""Crystals of growing size: their pairs grow with them, and not with the number of species."""

import hashlib
from dataclasses import replace

import numpy as np
import pytest
from ase.neighborlist import neighbor_list

from anisweep import datasets
from anisweep.datasets.canonical_xyz import to_text

RECIPES = {name: recipe for name, recipe in datasets.generated().items() if recipe.module == "supercells"}

#: SHA-256 of the first frame. It changes only with the generator, and then every data set is a new one.
BYTES = {
    "n24_z1": "33d97f26694ef151",
    "n96_z2": "46b13b3e8fe89325",
    "n384_z3": "e7a05aa56e2e9103",
    "n1152_z4": "2b0a68079f355c49",
}


def frame_of(name, number=0):
    return list(replace(RECIPES[name], frames=number + 1).generate())[number]


def test_there_are_four_sizes_of_four_kinds():
    assert list(RECIPES) == [
        f"n{size}_z{species}" for size in (24, 96, 384, 1152) for species in (1, 2, 3, 4)
    ]


@pytest.mark.parametrize("name", ["n24_z3", "n96_z2", "n96_z4", "n384_z1", "n1152_z4"])
def test_name_tells_atoms_and_species(name):
    frame = frame_of(name)
    size, species = name.removeprefix("n").split("_z")

    labels, counts = np.unique(frame.symbols, return_counts=True)
    assert len(frame) == int(size)
    assert len(labels) == int(species)
    assert len(set(counts)) == 1
    assert frame.pbc.all()
    assert {"c_q", *datasets.DIAMETERS} <= set(frame.arrays)


@pytest.mark.parametrize("number", [0, 1])
def test_species_leave_the_pairs_as_they_are(number):
    positions = [frame_of(f"n96_z{species}", number).positions for species in (1, 2, 3, 4)]

    assert all((each == positions[0]).all() for each in positions)


def test_pairs_grow_as_atoms():
    per_atom = []
    for size in (24, 96, 384):
        frame = frame_of(f"n{size}_z1")
        per_atom.append(len(neighbor_list("i", frame, 7.0)) / size)

    assert per_atom == pytest.approx([per_atom[0]] * 3, rel=0.02)


def test_no_two_atoms_see_the_same():
    frame = frame_of("n96_z1")
    first, lengths = neighbor_list("id", frame, 4.0)

    nearest = {round(lengths[first == atom].min(), 7) for atom in range(len(frame))}
    assert len(nearest) > 24  # two atoms may be each other's nearest


@pytest.mark.parametrize("name", BYTES)
def test_the_bytes_are_the_same_everywhere(name):
    text = to_text([frame_of(name)])

    assert hashlib.sha256(text.encode()).hexdigest().startswith(BYTES[name])
