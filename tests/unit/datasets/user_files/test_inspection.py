"""What is seen in a user's file, and the study that is written from it."""

import ase.io
import numpy as np
import pytest
import yaml
from ase import Atoms

from anisweep import datasets


def frame_with(**arrays) -> Atoms:
    atoms = Atoms("CH", positions=[[0, 0, 0], [0, 0, 1]], cell=[9, 9, 9], pbc=True)
    for name, values in arrays.items():
        atoms.set_array(name, np.array(values))
    return atoms


def inspected(tmp_path, *frames, name="mine.xyz"):
    path = tmp_path / name
    ase.io.write(path, list(frames))
    return datasets.inspect(path)


QUATERNIONS = [[1.0, 0, 0, 0], [0.6, 0.8, 0, 0]]
MATRICES = [np.eye(3).ravel(), np.eye(3).ravel()]
LONG = [[3.0, 2, 1], [3, 2, 1]]


def test_sizes_species_and_pairs(tmp_path):
    found = inspected(tmp_path, frame_with(), frame_with() + Atoms("C", positions=[[4, 4, 4]]))

    assert (found.frames, found.particles, found.sizes, found.periodic) == (2, 5, (2, 3), 2)
    assert found.species == {"C": 3, "H": 2}
    assert found.pairs == datasets.pair_count(ase.io.iread(found.file), 7.0, self_pairs=True)


@pytest.mark.parametrize(
    ("arrays", "expected"),
    [
        ({}, ()),
        ({"c_q": QUATERNIONS}, ("c_q",)),
        ({"any": QUATERNIONS}, ("any",)),
        ({"any": QUATERNIONS, "quaternion": QUATERNIONS}, ("quaternion", "any")),
        ({"quaternion": [[2.0, 0, 0, 0]] * 2}, ("quaternion",)),
        ({"any": [[2.0, 0, 0, 0]] * 2}, ()),
        ({"turns": MATRICES}, ("turns",)),
        ({"stresses_of_mine": [[1.0] * 9] * 2}, ()),
    ],
)
def test_arrays_that_could_be_orientations(tmp_path, arrays, expected):
    assert inspected(tmp_path, frame_with(**arrays)).orientations == expected


@pytest.mark.parametrize(
    ("arrays", "expected"),
    [
        ({}, ()),
        ({name: [1.0, 1] for name in datasets.DIAMETERS}, datasets.DIAMETERS),
        ({"Diameters": LONG}, ("Diameters",)),
        ({"velocity": LONG}, ()),
        ({"diameters": [[3.0, 2, 0], [3, 2, 1]]}, ()),
        ({"dz": [1.0, 1], "dx": [3.0, 3], "dy": [2.0, 2]}, ("dx", "dy", "dz")),
        ({"diam_1": [1.0, 1], "diam_2": [1.0, 1], "diam_3": [1.0, 1]}, ("diam_1", "diam_2", "diam_3")),
        ({"dx": [1.0, 1], "dy": [1.0, 1]}, ()),
    ],
)
def test_arrays_that_could_be_diameters(tmp_path, arrays, expected):
    found = inspected(tmp_path, frame_with(**arrays)).diameters
    bracketless = tuple(name.replace("[", "").replace("]", "") for name in expected)

    assert found in (expected, bracketless)


def test_an_array_that_not_all_frames_have_is_no_candidate(tmp_path):
    found = inspected(tmp_path, frame_with(c_q=QUATERNIONS), frame_with())

    assert found.orientations == ()
    assert found.arrays == ()


def test_the_text_shows_it_all(tmp_path):
    text = inspected(tmp_path, frame_with(c_q=QUATERNIONS)).render([("numpy_only", 0.0123, 712.0)])

    for words in ("mine.xyz", "1, of which 1 periodic", "C: 1, H: 1", "c_q: 4 a particle, 0 to 1"):
        assert words in text

    assert "    numpy_only     0.0123 s, process of 712 MB" in text


CASES = [
    ({"c_q": QUATERNIONS, "diameters": LONG}, {"orientations": "c_q", "diameters": "diameters"}),
    ({"dx": [3.0, 3], "dy": [2.0, 2], "dz": [1.0, 1]}, {"diameters": ["dx", "dy", "dz"]}),
    ({f"c_diameter[{k}]": [1.0, 1] for k in (1, 2, 3)}, {}),
    ({}, {"diameters": {"C": [3.0, 3.0, 1.0], "H": [3.0, 3.0, 1.0]}}),
]


@pytest.mark.parametrize(("arrays", "expected"), CASES)
def test_a_new_study_fits_its_file(tmp_path, arrays, expected):
    """What the study says about the file is what reading the file needs."""
    found = inspected(tmp_path, *[frame_with(**arrays)] * 12, name="with #sign: x.xyz")
    study = yaml.safe_load(datasets.new_study("mine", found))
    entry = study["datasets"]["mine"]

    assert entry == {"file": str(found.file), "frames": 10, **expected}
    assert study["hypers"]["cutoff_radius"] == 7.0

    user = datasets.UserFile(found.file, entry.get("orientations"), entry.get("diameters"))
    assert len(datasets.read_user_file(user)) == 12


@pytest.mark.parametrize("name", ["Mine", "my-study", "1st", "", "../x"])
def test_a_name_that_is_none(tmp_path, name):
    with pytest.raises(datasets.DataError, match="small letters"):
        datasets.new_study(name, inspected(tmp_path, frame_with()))
