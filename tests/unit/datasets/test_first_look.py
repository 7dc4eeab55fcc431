"""What `anisweep inspect` and `anisweep new` say of files: nothing is hidden, and a guess is called one."""

import time

import numpy as np
import pytest
import yaml
from ase import Atoms

from anisweep import datasets
from anisweep.datasets.errors import DataError

QUATERNION = "0.7071068 0 0 0.7071068"


def xyz(columns: str, *rows: str, lattice: str = "10 0 0 0 10 0 0 0 10", pbc: str = "T T T") -> str:
    """A frame of extended XYZ; the rows hold what stands after the species and the position."""
    lines = [f"C 0 0 {2 * place} {row}\n" for place, row in enumerate(rows)]
    properties = f"Properties=species:S:1:pos:R:3{columns}"
    return f'{len(rows)}\nLattice="{lattice}" {properties} pbc="{pbc}"\n{"".join(lines)}'


def inspected(tmp_path, text: str, name: str = "mine.xyz", **options) -> datasets.Inspection:
    file = tmp_path / name
    file.write_text(text)
    return datasets.inspect(file, **options)


OVITO = xyz(
    ":orientation:R:4:aspherical_shape:R:3",
    "0 0 0 1 0.5 0.5 1.5",
    f"{QUATERNION} 0.5 0.5 1.5",
)

LAMMPS = """ITEM: TIMESTEP
0
ITEM: NUMBER OF ATOMS
2
ITEM: BOX BOUNDS pp pp pp
0 10
0 10
0 10
ITEM: ATOMS id type x y z {columns}
1 1 1 1 1 1 0 0 0 3 3 1
2 1 2.5 1.2 1 0.5 0.5 0.5 0.5 3 3 1
"""

COLUMNS = [
    "c_q[1] c_q[2] c_q[3] c_q[4] c_diameter[1] c_diameter[2] c_diameter[3]",
    "c_orient[1] c_orient[2] c_orient[3] c_orient[4] c_shape[1] c_shape[2] c_shape[3]",
    "quatw quati quatj quatk shapex shapey shapez",
    "qw qx qy qz dx dy dz",
    "v_a[1] v_a[2] v_a[3] v_a[4] diameter_1 diameter_2 diameter_3",
]


def test_the_conventions_of_a_program_are_said(tmp_path):
    text = inspected(tmp_path, OVITO).render()

    assert "orientation: quaternions x, y, z, w (OVITO's convention for `orientation`)" in text
    assert "aspherical_shape: semi-axes (OVITO's convention for `aspherical_shape`)" in text


@pytest.mark.parametrize("columns", COLUMNS)
def test_columns_of_a_dump_are_found_whatever_they_are_called(tmp_path, columns):
    """The first study of the file describes the particles that it holds."""
    found = inspected(tmp_path, LAMMPS.format(columns=columns), "mine.dump")
    entry = yaml.safe_load(datasets.new_study("mine", found))["datasets"]["mine"]
    user = datasets.UserFile(
        found.file,
        entry.get("orientations"),
        entry.get("diameters"),
        entry.get("orientation_order"),
        entry.get("radii"),
    )
    frame = datasets.read_user_file(user)[0]

    assert frame.arrays["c_q"].tolist() == [[1, 0, 0, 0], [0.5, 0.5, 0.5, 0.5]]
    assert [frame.arrays[name].tolist() for name in datasets.DIAMETERS] == [[3, 3], [3, 3], [1, 1]]


def test_a_first_study_reads_semi_axes_and_the_order_of_their_program(tmp_path):
    found = inspected(tmp_path, OVITO)
    text = datasets.new_study("mine", found)
    entry = yaml.safe_load(text)["datasets"]["mine"]

    assert entry["radii"] is True
    assert "x, y, z, w (OVITO's convention" in text

    frame = datasets.read_user_file(
        datasets.UserFile(found.file, entry["orientations"], entry["diameters"], radii=entry["radii"])
    )[0]
    half = np.sqrt(0.5)
    np.testing.assert_allclose(frame.arrays["c_q"], [[1, 0, 0, 0], [half, half, 0, 0]], atol=1e-7)
    assert frame.arrays["c_diameter[3]"].tolist() == [3, 3]


def test_an_order_that_nothing_says_is_called_a_guess(tmp_path):
    found = inspected(tmp_path, xyz(":turn:R:4", QUATERNION, QUATERNION))
    study = datasets.new_study("mine", found)

    assert "turn: quaternions w, x, y, z (a GUESS: nothing says the order)" in found.render()
    assert "GUESS by four numbers a particle of norm 1" in study
    assert yaml.safe_load(study)["datasets"]["mine"]["orientation_order"] == "wxyz"


def test_particles_that_are_not_turned_speak_against_an_order(tmp_path):
    found = inspected(tmp_path, xyz(":c_orient:R:4", "0 0 0 1", QUATERNION))

    assert "1 particle has the identity in the order x, y, z, w" in found.render()


def test_an_order_and_lengths_that_are_asked_for_come_into_the_study(tmp_path):
    text = xyz(":c_q:R:4:diameters:R:3", f"{QUATERNION} 1 1 2")
    found = inspected(tmp_path, text, order="xyzw", radii=True)
    entry = yaml.safe_load(datasets.new_study("mine", found))["datasets"]["mine"]

    assert (entry["orientation_order"], entry["radii"]) == ("xyzw", True)


def test_three_positive_numbers_could_be_lengths(tmp_path):
    """They are named, and not taken."""
    study = datasets.new_study("mine", inspected(tmp_path, xyz(":extent:R:3", "3 2 1")))

    assert '# diameters: "extent"  # could be: three positive numbers a particle' in study
    assert yaml.safe_load(study)["datasets"]["mine"]["diameters"] == [3.0, 3.0, 1.0]


def test_lengths_of_which_some_are_zero_are_not_passed_over(tmp_path):
    found = inspected(tmp_path, xyz(":c_shape:R:3", "3 3 1", "0 0 0"))

    assert '# diameters: "c_shape"  # could be: its name, but not all are positive' in datasets.new_study(
        "mine", found
    )
    assert "particle 1 has 0 along body axis 1" in found.problem


def test_arrays_that_cannot_be_used_are_a_problem_in_the_words_of_describe(tmp_path):
    found = inspected(tmp_path, xyz(":c_q:R:4", "0 0 0 0"))

    with pytest.raises(DataError) as caught:
        datasets.read_user_file(datasets.UserFile(found.file, "c_q", [1, 1, 1]))
    assert found.problem == str(caught.value)
    assert found.problem in found.render()


@pytest.mark.parametrize(
    ("pbc", "words"),
    [
        ("T T F", "0 periodic, 1 periodic in x and y"),
        ("F F T", "0 periodic, 1 periodic in z"),
        ("T T T", "1 periodic\n"),
        ("F F F", "0 periodic\n"),
    ],
)
def test_the_directions_of_periodicity_are_said(tmp_path, pbc, words):
    assert f"of which {words}" in inspected(tmp_path, xyz("", "", pbc=pbc)).render()


IMPOSSIBLE = {
    "cell of zeros": xyz("", "", "", lattice="0 0 0 0 0 0 0 0 0"),
    "tiny cell": xyz("", "", "", lattice="1e-3 0 0 0 1e-3 0 0 0 1e-3"),
    "thin cell": xyz("", "", "", lattice="6 0 0 0 6 0 0 0 1e-9"),
    "infinite cell": xyz("", "", "", lattice="inf 0 0 0 6 0 0 0 6"),
    "huge cell": xyz("", "", "", lattice="1e300 0 0 0 6 0 0 0 6"),
    "placeholder": xyz("", "", "", lattice="1 0 0 0 1 0 0 0 1"),
    "NaN position": xyz("", "", pbc="F F F").replace("C 0 0 0", "C 0 nan 0"),
    "far position": xyz("", "", pbc="F F F").replace("C 0 0 0", "C 0 1e200 0"),
}


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("text", IMPOSSIBLE.values(), ids=IMPOSSIBLE)
def test_what_cannot_be_meant_is_refused_in_the_same_words(tmp_path, text):
    """By `inspect`, by studies and by `describe`, which reads frames in the same way as these."""
    with pytest.raises(DataError) as seen:
        inspected(tmp_path, text)
    with pytest.raises(DataError) as prepared:
        datasets.read_user_file(datasets.UserFile(tmp_path / "mine.xyz", diameters=[1e-2] * 3))

    assert str(seen.value) == str(prepared.value)


@pytest.mark.parametrize("cutoff", [0.0, -1.0, float("nan"), float("inf"), 1e300])
def test_a_cutoff_that_is_none_is_refused(tmp_path, cutoff):
    with pytest.raises(DataError, match="a length above 0"):
        inspected(tmp_path, OVITO, cutoff=cutoff)


def test_a_small_cell_that_is_meant_is_taken(tmp_path):
    """Real ellipsoids stand in cells with edges of 2.41 Angstrom, at a cutoff of 7."""
    text = xyz("", "", lattice="2.41 0 0 0 9 0 0 0 9")
    user = datasets.UserFile(tmp_path / "mine.xyz", diameters=[4, 4, 0.5])

    assert inspected(tmp_path, text).exact
    assert len(datasets.read_user_file(user)) == 1


def test_a_million_particles_are_estimated(tmp_path, monkeypatch):
    """A frame of so many is not counted pair by pair, and the text says so."""
    rng = np.random.default_rng(1)
    many = Atoms(np.ones(1_000_000), positions=rng.uniform(0, 220, (1_000_000, 3)), cell=[220] * 3, pbc=True)
    monkeypatch.setattr(
        "anisweep.datasets.user_files.inspection.read_any", lambda path, file_format: iter([many])
    )

    started = time.monotonic()
    found = datasets.inspect(tmp_path / "many.xyz")

    by_density = 1e6 * (1 + 1e6 * 4 / 3 * np.pi * 7**3 / 220**3)
    assert abs(found.pairs / by_density - 1) < 0.02
    assert "about" in found.render()
    assert "estimated from a sample" in found.render()
    assert time.monotonic() - started < 120  # it does not hang


ODD = ["1", "0", "-1", "nan", "inf", "1e300", "1e-300", "-1e308", "1e-170", "7e15"]
NAMED = [("c_q", 4), ("orientation", 4), ("m", 9), ("aspherical_shape", 3), ("c_shape", 3), ("radius", 1)]
NAMED += [(f"q{k}", 1) for k in (1, 2, 3, 4)] + [(f"d{axis}", 1) for axis in "xyz"]


def odd_file(rng: np.random.Generator) -> str:
    """A frame with some of the columns that files have, and here and there a number that none should have."""

    def number(share: float, usual: float) -> str:
        return str(rng.choice(ODD)) if rng.random() < share else repr(usual)

    some = [column for column in NAMED if rng.random() < 0.4]
    width = sum(count for _, count in some)
    lattice = " ".join(number(0.03, 6.0 * (place % 4 == 0)) for place in range(9))
    properties = "".join(f":{name}:R:{count}" for name, count in some)
    pbc = " ".join(rng.choice(["T", "F"], 3))
    rows = []

    for _ in range(rng.integers(1, 4)):
        place = [number(0.02, rng.uniform(0, 5)) for _ in "xyz"]
        rows.append(" ".join(["C", *place, *(number(0.1, rng.normal()) for _ in range(width))]))

    header = f'Lattice="{lattice}" Properties=species:S:1:pos:R:3{properties} pbc="{pbc}"'
    return "\n".join([str(len(rows)), header, *rows]) + "\n"


@pytest.mark.filterwarnings("error")
def test_whatever_a_file_holds_a_first_look_and_a_study_agree(tmp_path):
    """Each file is refused, or has a problem that is said, or its first study can be read."""
    rng = np.random.default_rng(20)
    accepted = refused = 0

    for _ in range(300):
        try:
            found = inspected(tmp_path, odd_file(rng))
        except DataError:
            refused += 1
            continue

        entry = yaml.safe_load(datasets.new_study("mine", found))["datasets"]["mine"]
        reading = [entry.get(key) for key in ("orientations", "diameters", "orientation_order", "radii")]
        try:
            datasets.read_user_file(datasets.UserFile(found.file, *reading))
            accepted += 1
        except DataError:
            assert found.problem

    assert min(accepted, refused) > 20
