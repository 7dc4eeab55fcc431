"""A user's own files, in several formats and with all ways to say what the particles look like."""

import lzma
from dataclasses import replace
from pathlib import Path

import ase.io
import numpy as np
import pytest
from ase import Atoms
from hypothesis import given
from hypothesis import strategies as st

from anisweep import datasets
from anisweep.datasets.errors import Place
from anisweep.datasets.user_files.orientations import from_matrices, quaternions_of

CUBE = [4.0, 5.0, 6.0]

#: A turn by 90 degrees about z: (w, x, y, z), and what it does to the body axes.
TURN = [np.sqrt(0.5), 0, 0, np.sqrt(0.5)]
TURN_MATRIX = [[0, -1, 0], [1, 0, 0], [0, 0, 1]]


def atoms_with(**arrays) -> Atoms:
    """One C and one H with arrays of their own."""
    atoms = Atoms("CH", positions=[[0, 0, 0.5], [1, 2, 3]], cell=CUBE, pbc=True)
    for name, values in arrays.items():
        atoms.set_array(name, np.array(values, dtype=float))
    return atoms


def read(path, orientations=None, diameters=(3.0, 2.0, 1.0)):
    return datasets.read_user_file(datasets.UserFile(path, orientations, diameters))


@pytest.fixture
def file(tmp_path) -> Path:
    return tmp_path / "mine.xyz"


FORMATS = ["xyz", "extxyz", "xyz.xz", "traj", "cif", "vasp", "pdb", "json", "xsf"]


@pytest.mark.parametrize("name", [f"a.{ending}" for ending in FORMATS] + ["POSCAR", "a@2.traj"])
def test_formats_of_ase(tmp_path, name):
    path = tmp_path / name
    ase.io.write(path, atoms_with())
    (frame,) = read(path)

    assert sorted(frame.symbols) == ["C", "H"]
    assert frame.cell.lengths() == pytest.approx(CUBE, abs=1e-3)
    assert frame.positions == pytest.approx(atoms_with().positions, abs=1e-3)
    assert (frame.arrays["c_q"] == [1, 0, 0, 0]).all()


@pytest.mark.parametrize("name", ["a.xyz", "a.traj", "a.pdb"])
def test_all_frames_are_read(tmp_path, name):
    path = tmp_path / name
    ase.io.write(path, [atoms_with()] * 3)

    assert len(read(path)) == 3


@pytest.mark.parametrize("name", ["c_q", "quaternion", "quaternions", "my_turns"])
def test_quaternions_by_any_name_and_norm(file, name):
    ase.io.write(file, atoms_with(**{name: [TURN, [2, 0, 0, 0]]}))
    (frame,) = read(file, orientations=name)

    assert frame.arrays["c_q"] == pytest.approx(np.array([TURN, [1, 0, 0, 0]]), abs=1e-7)


def test_matrices_in_nine_columns(file):
    ase.io.write(file, atoms_with(turns=[np.ravel(TURN_MATRIX), np.eye(3).ravel()]))
    (frame,) = read(file, orientations="turns")

    assert frame.arrays["c_q"] == pytest.approx(np.array([TURN, [1, 0, 0, 0]]), abs=1e-12)


def test_matrices_in_three_by_three():
    atoms = atoms_with(turns=[TURN_MATRIX, np.eye(3)])
    found = quaternions_of(atoms, "turns", Place("in memory", 0))

    assert found == pytest.approx(np.array([TURN, [1, 0, 0, 0]]), abs=1e-12)


parts = st.floats(-1, 1)


@given(st.tuples(parts, parts, parts, parts).filter(lambda q: np.linalg.norm(q) > 1e-2))
def test_matrices_and_quaternions_are_the_same_rotations(quaternion):
    w, x, y, z = np.array(quaternion) / np.linalg.norm(quaternion)
    vector = np.array([x, y, z])
    cross = np.array([[0, -z, y], [z, 0, -x], [-y, x, 0]])
    rodrigues = (w**2 - vector @ vector) * np.eye(3) + 2 * np.outer(vector, vector) + 2 * w * cross

    (found,) = from_matrices(rodrigues[None])

    assert abs(abs(found @ [w, x, y, z]) - 1) < 1e-14


DIAMETER_ARRAYS = {"dx": [3, 4], "dy": [2, 3], "dz": [1, 2]}


@pytest.mark.parametrize(
    ("arrays", "given_diameters"),
    [
        (DIAMETER_ARRAYS, ["dx", "dy", "dz"]),
        ({"widths": [[3, 2, 1], [4, 3, 2]]}, "widths"),
        ({"widths": [[3, 2, 1], [4, 3, 2]]}, ["widths"]),
        ({}, {"C": [3, 2, 1], "H": [4, 3, 2], "O": [1, 1, 1]}),
        ({f"c_diameter[{k}]": values for k, values in enumerate(DIAMETER_ARRAYS.values(), 1)}, None),
        ({"c_diameter": np.transpose(list(DIAMETER_ARRAYS.values()))}, None),
    ],
)
def test_diameters_in_every_form(file, arrays, given_diameters):
    ase.io.write(file, atoms_with(**arrays))
    (frame,) = read(file, diameters=given_diameters)
    found = np.column_stack([frame.arrays[name] for name in datasets.DIAMETERS])

    assert (found == [[3, 2, 1], [4, 3, 2]]).all()


def test_the_brackets_that_ase_loses(file):
    """The file says c_diameter[1], ASE reads c_diameter1, and the frame has it all the same."""
    ase.io.write(file, atoms_with(**{f"c_diameter[{k}]": [k, k + 1] for k in (1, 2, 3)}))

    assert "c_diameter[1]" in file.read_text()
    assert "c_diameter[1]" not in ase.io.read(file).arrays

    (frame,) = read(file, diameters=None)
    assert (frame.arrays["c_diameter[3]"] == [3, 4]).all()


def test_canonical_files_are_a_users_files_too(file):
    recipe = replace(datasets.generated()["benzenes"], frames=5)
    datasets.prepare(recipe, file)
    frames = read(file, orientations="c_q", diameters=None)

    for one, other in zip(frames, recipe.generate(), strict=True):
        assert all(one.arrays[name].tobytes() == other.arrays[name].tobytes() for name in other.arrays)


def test_a_user_file_is_prepared_with_its_origin(file, tmp_path):
    ase.io.write(file, atoms_with())
    user = datasets.UserFile(file, diameters={"C": [3, 3, 1], "H": [1, 1, 1]})
    sidecar = datasets.prepare(user, tmp_path / "prepared.xyz")

    assert (sidecar.frames, sidecar.particles, sidecar.species) == (1, 2, ["C", "H"])
    assert sidecar.source["diameters"] == user.diameters
    assert str(file) in sidecar.made


def test_a_digest_is_of_the_content_and_the_options(file, tmp_path):
    ase.io.write(file, atoms_with())
    elsewhere = tmp_path / "copy.xyz"
    elsewhere.write_bytes(file.read_bytes())
    user = datasets.UserFile(file)

    assert datasets.UserFile(elsewhere).digest == user.digest
    assert datasets.UserFile(file, orientations="c_q").digest != user.digest
    assert datasets.UserFile(file, diameters=(1, 1, 1)).digest != user.digest

    assert (
        datasets.UserFile(file, diameters=[1, 1, 1]).digest
        == datasets.UserFile(file, diameters=(1, 1, 1)).digest
    )
    assert datasets.UserFile(file, diameters=[float("nan"), 1, 1]).digest, (
        "bad values are the reader's to refuse"
    )

    elsewhere.write_bytes(file.read_bytes() + b"\n")
    assert datasets.UserFile(elsewhere).digest != user.digest


def test_the_real_file(real_ellipsoids):
    assert len(real_ellipsoids) == 6_826
    assert sum(map(len, real_ellipsoids)) == 10_994


def test_a_compressed_file_is_read_like_the_plain_one(file, tmp_path):
    ase.io.write(file, [atoms_with()] * 4)
    packed = tmp_path / "mine.xyz.xz"
    packed.write_bytes(lzma.compress(file.read_bytes()))

    assert [f.positions.tolist() for f in read(packed)] == [f.positions.tolist() for f in read(file)]


LAMMPS = """\
ITEM: TIMESTEP
0
ITEM: NUMBER OF ATOMS
1
ITEM: BOX BOUNDS pp pp pp
0 5
0 5
0 5
ITEM: ATOMS id type x y z c_q[1] c_q[2] c_q[3] c_q[4] c_diameter[1] c_diameter[2] c_diameter[3]
1 1 1.0 2.0 3.0 0.6 0.8 0.0 0.0 3.0 2.0 1.0
"""


def test_a_dump_of_lammps(tmp_path):
    path = tmp_path / "mine.lammpstrj"
    path.write_text(LAMMPS)
    (frame,) = read(path, orientations="c_q", diameters=None)

    assert frame.arrays["c_q"][0] == pytest.approx([0.6, 0.8, 0, 0])
    assert [frame.arrays[name][0] for name in datasets.DIAMETERS] == [3, 2, 1]
