"""Orientations and lengths under other names, in other orders and in other columns are the same particles."""

import numpy as np
import pytest
from ase import Atoms
from hypothesis import given
from hypothesis import strategies as st

from anisweep.datasets import DataError
from anisweep.datasets.errors import Place
from anisweep.datasets.user_files.columns import families
from anisweep.datasets.user_files.diameters import diameters_of
from anisweep.datasets.user_files.orientations import quaternions_of
from anisweep.descriptors import EllipsoidalDensityProjection

HERE = Place("in memory", 0)

RNG = np.random.default_rng(5)
QUATERNIONS = RNG.normal(size=(4, 4))
LENGTHS = RNG.uniform(0.5, 3.0, size=(4, 3))
POSITIONS = RNG.uniform(0, 4, size=(4, 3))

stems = st.sampled_from(["c_q", "quat", "c_orient", "q", "Rotation", "f_my-q", "v_1"])
orders = st.sampled_from(["wxyz", "xyzw"])
numbered = st.sampled_from(["{stem}[{k}]", "{stem}{k}", "{stem}_{k}", "{stem}.{k}"])
lettered = st.sampled_from(["{stem}{k}", "{stem}_{k}", "{stem}.{k}"])


def frame(**arrays) -> Atoms:
    """Four particles with arrays of these names."""
    atoms = Atoms("C4", positions=POSITIONS, cell=[9, 9, 9], pbc=True)
    atoms.arrays |= {name: np.array(values) for name, values in arrays.items()}
    return atoms


def in_order(order: str) -> np.ndarray:
    return QUATERNIONS[:, ["wxyz".index(letter) for letter in order]]


@given(stem=stems, order=orders)
def test_one_array_of_four_columns_in_any_order(stem, order):
    found = quaternions_of(frame(**{stem: in_order(order)}), stem, HERE, order)

    np.testing.assert_array_equal(found, QUATERNIONS)


@given(stem=stems, order=orders, form=numbered, first=st.sampled_from([0, 1]), by_stem=st.booleans())
def test_four_numbered_columns_in_any_order(stem, order, form, first, by_stem):
    names = [form.format(stem=stem, k=k) for k in range(first, first + 4)]
    atoms = frame(**dict(zip(names, in_order(order).T, strict=True)))

    found = quaternions_of(atoms, stem if by_stem else names, HERE, order)

    np.testing.assert_array_equal(found, QUATERNIONS)


@given(
    stem=stems,
    form=lettered,
    letters=st.sampled_from(["wxyz", "wijk", "rijk", "WXYZ"]),
    places=st.permutations(range(4)),
    by_stem=st.booleans(),
)
def test_columns_whose_letters_say_what_they_are(stem, form, letters, places, by_stem):
    """In whatever order they stand in the file, and in whatever order they are listed."""
    names = [form.format(stem=stem, k=letter) for letter in letters]
    listed = [names[place] for place in places]
    atoms = frame(**{names[place]: QUATERNIONS[:, place] for place in places})

    found = quaternions_of(atoms, stem if by_stem else listed, HERE)

    np.testing.assert_array_equal(found, QUATERNIONS)


@pytest.mark.parametrize(
    ("name", "program", "order"),
    [
        ("orientation", "", "xyzw"),
        ("orientation", "HOOMD", "wxyz"),
        ("Orientation", "", "xyzw"),
        ("c_q", "", "wxyz"),
        ("c_q", "LAMMPS", "wxyz"),
        ("quaternions", "", "wxyz"),
        ("quat_xyzw", "", "xyzw"),
        ("something", "", "wxyz"),
    ],
)
def test_known_names_have_the_order_of_their_program(name, program, order):
    atoms = frame(**{name: in_order(order)})
    atoms.info["written_by"] = program

    np.testing.assert_array_equal(quaternions_of(atoms, name, HERE), QUATERNIONS)


@given(stem=st.sampled_from(["shape", "c_shape", "axes", "b"]), form=numbered, radii=st.booleans())
def test_lengths_in_three_columns(stem, form, radii):
    names = [form.format(stem=stem, k=k) for k in (1, 2, 3)]
    atoms = frame(**dict(zip(names, (LENGTHS / 2 if radii else LENGTHS).T, strict=True)))

    for named in (stem, names):
        np.testing.assert_array_equal(diameters_of(atoms, named, HERE, radii), LENGTHS)


@pytest.mark.parametrize(
    ("name", "factor"),
    [("aspherical_shape", 2), ("c_shape", 1), ("my_radii", 2), ("semi_axes", 2), ("diameters", 1), ("s", 1)],
)
def test_known_names_are_semi_axes_or_diameters(name, factor):
    found = diameters_of(frame(**{name: LENGTHS}), name, HERE)

    np.testing.assert_array_equal(found, factor * LENGTHS)


def test_what_is_asked_for_beats_the_convention():
    atoms = frame(aspherical_shape=LENGTHS, orientation=QUATERNIONS)

    np.testing.assert_array_equal(diameters_of(atoms, "aspherical_shape", HERE, radii=False), LENGTHS)
    np.testing.assert_array_equal(quaternions_of(atoms, "orientation", HERE, "wxyz"), QUATERNIONS)
    np.testing.assert_array_equal(diameters_of(atoms, [0.5, 1, 1.5], HERE, radii=True), [[1, 2, 3]] * 4)


def test_names_that_contradict_the_order_are_refused():
    names = ["quati", "quatj", "quatk", "quatw"]
    atoms = frame(**dict(zip(names, in_order("xyzw").T, strict=True)))

    with pytest.raises(DataError, match="which their names say"):
        quaternions_of(atoms, names, HERE, "wxyz")


def test_two_sets_of_one_name_are_refused():
    columns = dict(zip(["q1", "q2", "q3", "q4"], QUATERNIONS.T, strict=True))
    others = dict(zip(["q_w", "q_x", "q_y", "q_z"], QUATERNIONS.T, strict=True))

    with pytest.raises(DataError, match="several sets of arrays"):
        quaternions_of(frame(**columns, **others), "q", HERE)


def test_a_set_that_lacks_a_column_is_missing():
    with pytest.raises(DataError, match=r"one of the arrays of this frame \(c_q1, c_q2, c_q3\)"):
        quaternions_of(frame(c_q1=[1.0] * 4, c_q2=[0.0] * 4, c_q3=[0.0] * 4), "c_q", HERE)


def test_numbers_of_a_longer_set_are_no_quaternions():
    """c_stress[1] to [6] are six numbers, of which no four are a set."""
    assert not families([f"c_stress[{k}]" for k in range(1, 7)], ["1234"])


@given(order=orders, form=numbered, radii=st.booleans())
def test_features_do_not_depend_on_names(order, form, radii):
    """Whatever the arrays are called, the features are those of the arrays that AniSOAP names."""
    columns = {form.format(stem="a", k=k + 1): values for k, values in enumerate(in_order(order).T)}
    lengths = {form.format(stem="b", k=k + 1): values for k, values in enumerate(LENGTHS.T)}
    named = frame(**columns, **{name: values / (1 + radii) for name, values in lengths.items()})

    own = frame(c_q=quaternions_of(named, "a", HERE, order))
    usual = frame(c_q=QUATERNIONS)
    for k, (one, other) in enumerate(zip(diameters_of(named, "b", HERE, radii).T, LENGTHS.T, strict=True)):
        own.arrays[f"c_diameter[{k + 1}]"] = one
        usual.arrays[f"c_diameter[{k + 1}]"] = other

    reference = spectrum(usual)
    assert np.abs(spectrum(own) - reference).max() <= 1e-12 * np.abs(reference).max()


def spectrum(atoms: Atoms) -> np.ndarray:
    projection = EllipsoidalDensityProjection(
        2, "gto", 5.0, radial_gaussian_width=1.5, rotation_key="c_q", basis_tol=1e-3, basis_rcond=1e-8
    )
    return projection.power_spectrum(atoms)
