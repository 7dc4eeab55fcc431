"""Canonical files: every bit comes back, and the bytes are always the same."""

import numpy as np
import pytest
from ase import Atoms
from hypothesis import given
from hypothesis import strategies as st

from anisweep import datasets
from anisweep.datasets.canonical_xyz import to_text

FILLED = ("positions", "numbers", "c_q", *datasets.DIAMETERS)

lengths = st.floats(-1e6, 1e6)
diameters = st.floats(1e-3, 1e3)


@st.composite
def canonical_frames(draw):
    count = draw(st.integers(1, 4))
    periodic = draw(st.booleans())

    def table(elements, columns):
        return np.array([[draw(elements) for _ in range(columns)] for _ in range(count)])

    symbols = [draw(st.sampled_from(["X", "H", "C", "Og"])) for _ in range(count)]
    cell = np.array([[draw(lengths) for _ in range(3)] for _ in range(3)])
    atoms = Atoms(symbols, positions=table(lengths, 3), cell=cell, pbc=periodic)

    quaternions = table(st.floats(-1, 1), 4)
    quaternions[:, 0] += 3.0
    return datasets.canonical(atoms, quaternions, table(diameters, 3))


@given(frames=st.lists(canonical_frames(), min_size=1, max_size=3))
def test_every_bit_comes_back(tmp_path_factory, frames):
    path = tmp_path_factory.mktemp("canonical") / "frames.xyz"
    path.write_text(to_text(frames))

    back = datasets.read(path)

    assert len(back) == len(frames)
    for one, other in zip(frames, back, strict=True):
        assert set(other.arrays) == set(FILLED)
        assert (one.pbc == other.pbc).all()
        assert one.cell.array.tobytes() == other.cell.array.tobytes()
        for name in FILLED:
            assert one.arrays[name].tobytes() == other.arrays[name].tobytes(), name

    assert to_text(back) == path.read_text()


def test_quaternions_become_unit_and_stay_so():
    atoms = Atoms("CH", positions=np.eye(2, 3))
    frame = datasets.canonical(atoms, [[0.3, 0.1, -2.0, 0.7], [0, 0, 0, 5.0]], (3, 2, 1))

    assert np.abs(np.linalg.norm(frame.arrays["c_q"], axis=1) - 1).max() < 1e-15
    assert (frame.arrays["c_q"][1] == [0, 0, 0, 1]).all()

    again = datasets.canonical(frame, frame.arrays["c_q"], (3, 2, 1))
    assert again.arrays["c_q"].tobytes() == frame.arrays["c_q"].tobytes()


def test_nothing_else_travels():
    atoms = Atoms("C", info={"remark": 1.0, "energy": "low"}, cell=np.eye(3))
    atoms.set_array("forces_of_mine", np.ones((1, 3)))
    atoms.set_array("forces", np.ones((1, 4)))
    atoms.set_array("torques", np.full((1, 3), np.nan))
    frame = datasets.canonical(atoms, (1, 0, 0, 0), (1, 1, 1))

    assert set(frame.arrays) == set(FILLED)
    assert not frame.info
    assert not frame.cell.array.any(), "a cell without pbc has no meaning"


def test_labels_travel_to_the_last_bit(tmp_path):
    rng = np.random.default_rng(0)
    atoms = Atoms("CO", positions=np.eye(2, 3), info={"energy": rng.random()})
    for name in ("forces", "torques"):
        atoms.set_array(name, rng.random((2, 3)))

    path = tmp_path / "labelled.xyz"
    path.write_text(to_text([datasets.canonical(atoms, (1, 0, 0, 0), (1, 1, 1))]))
    (back,) = datasets.read(path)

    assert back.info["energy"] == atoms.info["energy"]
    for name in ("forces", "torques"):
        assert back.arrays[name].tobytes() == atoms.arrays[name].tobytes()


@pytest.fixture
def three(tmp_path):
    path = tmp_path / "three.xyz"
    one = datasets.canonical(Atoms("C"), (1, 0, 0, 0), (3, 3, 1))
    path.write_text(to_text([one] * 3))
    return path


def test_the_first_frames_are_read(three):
    assert [len(datasets.read(three, count)) for count in (1, 2, 3)] == [1, 2, 3]


def test_more_frames_than_there_are(three):
    with pytest.raises(datasets.DataError, match=r"three\.xyz: 4 frames are asked for, 3 there"):
        datasets.read(three, 4)


def test_a_file_that_is_not_canonical(three):
    three.write_text(three.read_text().replace("c_q", "other"))

    with pytest.raises(datasets.DataError, match=r"frame 0: array c_q is missing"):
        datasets.read(three)


def test_a_file_that_is_not_there(tmp_path):
    with pytest.raises(datasets.DataError, match="there is no such file"):
        datasets.read(tmp_path / "none.xyz")
