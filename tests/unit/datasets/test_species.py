"""Species are labels: elements, numeric types and names of beads, which are kept wherever data go."""

import json

import numpy as np
import pytest
from ase import Atoms
from hypothesis import given
from hypothesis import strategies as st

from anisweep import datasets
from anisweep.datasets import canonical, canonical_xyz
from anisweep.datasets.errors import DataError, Place
from anisweep.datasets.species import (
    LARGEST,
    name_from_yaml,
    names_in,
    number_among,
    number_of,
    remember,
)
from anisweep.datasets.user_files.diameters import diameters_of

HERE = Place("in memory", 0)

#: What files call species: elements, types, beads.
names = st.one_of(
    st.sampled_from(["C", "H", "Q0", "Ow", "W", "NC3", "PO4", "CA", "1", "119", "150", str(LARGEST)]),
    st.text(min_size=1, max_size=8).filter(lambda name: name.strip() and not name.lstrip("+-").isdigit()),
)


def frame_of(species) -> Atoms:
    """A particle for each name."""
    numbers = [number_of(name) for name in species]
    atoms = Atoms(numbers, positions=np.arange(3.0 * len(numbers)).reshape(-1, 3))
    remember(atoms, species)
    return atoms


@given(names)
def test_a_name_comes_back(name):
    assert list(names_in(frame_of([name])).values()) == [name]


@given(name=names)
def test_a_canonical_file_keeps_the_names(tmp_path_factory, name):
    path = tmp_path_factory.mktemp("canonical") / "file.xyz"
    atoms = canonical(frame_of([name, name]), [1, 0, 0, 0], [3, 3, 1])
    path.write_text(canonical_xyz.to_text([atoms]), encoding="utf-8")

    found = canonical_xyz.read(path)[0]

    assert names_in(found) == names_in(atoms) == {number_of(name): name}
    np.testing.assert_array_equal(found.positions, atoms.positions)


@pytest.mark.parametrize("two", [("1", "H"), ("CA", "Ca"), ("c", "C"), ("150", "+150")])
def test_two_names_of_one_number_are_refused(two):
    with pytest.raises(ValueError, match="would be one species"):
        frame_of(two)


@pytest.mark.parametrize("name", ["0", "-3", str(LARGEST + 1), "9" * 400, " "])
def test_what_cannot_be_a_species(name):
    with pytest.raises(ValueError, match="species"):
        number_of(name)


@pytest.mark.parametrize(
    ("species", "given"),
    [
        (["C", "H"], {"C": [3, 3, 1], "H": [1, 1, 1]}),
        (["150", "1"], {150: [3, 3, 1], 1: [1, 1, 1]}),
        (["Q0", "PO4"], {"Q0": [3, 3, 1], "PO4": [1, 1, 1]}),
        (["C", "H"], {"6": [3, 3, 1], "H": [1, 1, 1]}),
    ],
)
def test_diameters_by_species_whatever_they_are_called(species, given):
    found = diameters_of(frame_of(species), given, HERE)

    np.testing.assert_array_equal(found, [[3, 3, 1], [1, 1, 1]])


def test_a_species_that_is_given_twice_is_refused():
    with pytest.raises(DataError, match="given twice"):
        diameters_of(frame_of(["C"]), {"C": [3, 3, 1], "6": [1, 1, 1]}, HERE)


def test_a_numeric_type_is_no_element():
    """Type 1 of a simulation is not hydrogen."""
    known = names_in(frame_of(["1", "2"]))

    assert (number_among(known, "1"), number_among(known, "H")) == (1, None)


def test_the_message_lists_the_names():
    with pytest.raises(DataError, match=r"species Q0 has none.*three lengths for each of 150, Q0"):
        diameters_of(frame_of(["Q0", "150"]), {"150": [1, 1, 1]}, HERE)


@pytest.mark.parametrize(("key", "name"), [("Q0", "Q0"), (150, "150")])
def test_keys_of_yaml(key, name):
    assert name_from_yaml(key) == name


@pytest.mark.parametrize("key", [False, 1.5, None])
def test_keys_of_yaml_that_lost_their_name(key):
    with pytest.raises(ValueError, match="in quotes"):
        name_from_yaml(key)


NUMBERED = """2
Lattice="9 0 0 0 9 0 0 0 9" Properties=Z:I:1:pos:R:3:c_q:R:4 pbc="T T T"
150 0 0 0 1 0 0 0
119 0 0 2 1 0 0 0
"""


def test_numbers_beyond_the_elements_are_prepared(tmp_path):
    file = tmp_path / "mine.xyz"
    file.write_text(NUMBERED)
    given = {"150": [3, 3, 1], "119": [2, 2, 2]}

    sidecar = datasets.prepare(datasets.UserFile(file, "c_q", given), tmp_path / "prepared.xyz")

    assert sidecar.species == ["119", "150"]
    assert json.loads((tmp_path / "prepared.xyz.json").read_text())["species"] == ["119", "150"]
    assert datasets.read(tmp_path / "prepared.xyz")[0].numbers.tolist() == [150, 119]
