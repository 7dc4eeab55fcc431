"""What a file lacks, or cannot say, is said: nothing is taken for granted, or called absent, in silence."""

import bz2
import gzip
import lzma

import pytest
import yaml
from click.testing import CliRunner

from anisweep import datasets
from anisweep.cli import main
from anisweep.datasets.errors import DataError

ORIENTED = "c_q[1] c_q[2] c_q[3] c_q[4]"

DATA = """LAMMPS data

2 atoms
1 atom types
0 10 xlo xhi
0 10 ylo yhi
0 10 zlo zhi

Atoms # atomic

1 1 1 1 1
2 1 2 2 2
"""


def dump(*columns: str, z: float | None = None, thickness: float = 10) -> str:
    """A frame of four particles for each set of columns."""
    frames = []
    for number, names in enumerate(columns):
        values = ["1", "0", "0", "0", "3", "3", "1"][: len(names.split())]
        rows = [
            f"{row + 1} 1 {2 * row} {row * row % 7} {row if z is None else z} {' '.join(values)}"
            for row in range(4)
        ]
        head = f"ITEM: TIMESTEP\n{number}\nITEM: NUMBER OF ATOMS\n4"
        box = f"ITEM: BOX BOUNDS pp pp pp\n0 20\n0 20\n0 {thickness}"
        frames.append("\n".join([head, box, f"ITEM: ATOMS id type x y z {names}", *rows, ""]))
    return "".join(frames)


def inspected(tmp_path, text: str, name: str = "mine.dump") -> datasets.Inspection:
    file = tmp_path / name
    file.write_text(text)
    return datasets.inspect(file)


@pytest.mark.parametrize(
    ("columns", "words"),
    [
        (
            [ORIENTED, ORIENTED.replace("c_q[4]", "c_w[4]")],
            "array c_q[4]: only in 1 of 2 frames, not in frame 1",
        ),
        (
            [ORIENTED.replace("c_q[1]", "c_p[1]"), ORIENTED],
            "array c_q[1]: only in 1 of 2 frames, not in frame 0",
        ),
        (["c_q[1] c_q[2] c_q[3]"] * 2, "c_q[1], c_q[2], c_q[3]: they look like three columns of quaternions"),
        (["qw qx qz"], "qw, qx, qz: they look like three columns of quaternions, and the fourth is missing"),
    ],
)
def test_orientations_that_lack_a_part_are_not_called_absent(tmp_path, columns, words):
    found = inspected(tmp_path, dump(*columns))
    study = datasets.new_study("mine", found)

    assert any(words in problem for problem in found.problems)
    assert words in found.render()
    assert words in study
    assert "no array looks so" not in study
    assert "orientations" not in yaml.safe_load(study)["datasets"]["mine"]


@pytest.mark.parametrize(
    "columns",
    [
        [f"{ORIENTED} c_diameter[1] c_diameter[2] c_diameter[3]", ORIENTED],
        [f"{ORIENTED} c_diameter[1] c_diameter[3]"],
    ],
)
def test_lengths_that_lack_a_part_are_not_called_absent(tmp_path, columns):
    found = inspected(tmp_path, dump(*columns))

    assert any("c_diameter[3]" in problem for problem in found.problems)
    assert "nothing in the file looks like them" not in datasets.new_study("mine", found)


def test_what_only_some_frames_have_is_listed_and_no_problem_where_it_is_nothing_special(tmp_path):
    found = inspected(tmp_path, dump(ORIENTED, f"{ORIENTED} c_energy"))

    assert "c_energy: only in 1 of 2 frames, not in frame 0" in found.render()
    assert not found.problems


def test_the_periodicity_of_a_data_file_is_said_to_be_an_assumption(tmp_path):
    found = inspected(tmp_path, DATA, "slab.data")

    assert "periodic in all directions, as LAMMPS reads a data file" in found.render()
    assert "as LAMMPS reads a data file" in datasets.new_study("mine", found)
    assert "does not say" not in inspected(tmp_path, dump(ORIENTED)).render()


@pytest.mark.parametrize(("z", "thickness", "asked"), [(0.5, 1, True), (0.5, 10, False), (None, 5, False)])
def test_a_plane_in_a_thin_periodic_cell_is_asked_about(tmp_path, z, thickness, asked):
    found = inspected(tmp_path, dump(ORIENTED, z=z, thickness=thickness))

    assert ("are the images along z meant?" in found.render()) == asked
    assert ('write pbc="T T F"' in found.render()) == asked


@pytest.mark.parametrize("compress", [gzip.compress, bz2.compress, lzma.compress])
@pytest.mark.parametrize("text", [dump(ORIENTED), DATA])
def test_a_compressed_file_needs_no_ending(tmp_path, compress, text):
    file = tmp_path / "mine"
    file.write_bytes(compress(text.encode()))

    assert datasets.inspect(file).frames == 1


def test_a_compressed_file_that_ase_reads_is_refused_without_its_ending(tmp_path):
    file = tmp_path / "POSCAR"
    file.write_bytes(gzip.compress(b"C\n1.0\n5 0 0\n0 5 0\n0 0 5\nC\n1\nDirect\n0 0 0\n"))

    with pytest.raises(DataError, match=r"compressed as \.gz.* mv POSCAR POSCAR\.gz"):
        datasets.inspect(file)


@pytest.mark.parametrize("given", ["lammps-data", "xyz", "gsd", "vasp"])
def test_a_format_that_is_wrong_is_blamed(tmp_path, given):
    file = tmp_path / "mine"
    file.write_text(dump(ORIENTED))

    with pytest.raises(DataError, match=f"as {given}, the format that was given .* or give lammps-dump"):
        datasets.inspect(file, file_format=given)


def test_names_in_one_text_are_names_of_several_arrays(tmp_path):
    file = tmp_path / "mine.dump"
    file.write_text(dump(f"{ORIENTED} dx dy dz"))

    pasted = datasets.UserFile(file, ", ".join(ORIENTED.split()), "dx, dy, dz")
    listed = datasets.UserFile(file, ORIENTED.split(), ["dx", "dy", "dz"])
    assert datasets.read_user_file(pasted) == datasets.read_user_file(listed)


def test_the_next_command_has_the_options_that_were_given(tmp_path):
    file = tmp_path / "mine.dump"
    file.write_text(dump(ORIENTED))
    options = ["--format", "lammps-dump", "--orientation-order", "wxyz", "--no-semi-axes"]

    said = CliRunner().invoke(main, ["inspect", str(file), *options]).output
    assert said.endswith(f"Next: anisweep new NAME {file} {' '.join(options)}\n")


def test_the_next_command_comes_after_a_problem(tmp_path):
    file = tmp_path / "mine.dump"
    file.write_text(dump("c_q[1] c_q[2] c_q[3]"))

    said = CliRunner().invoke(main, ["inspect", str(file)]).output
    assert "\nNext: see to what PROBLEM says, then: anisweep new NAME" in said


@pytest.mark.parametrize(
    ("columns", "remedy"),
    [("", "or --orientations with the name"), ("qw qx qy qz", "or --orientations 'qw, qx, qy, qz'")],
)
def test_describe_says_what_to_give_where_nothing_is_turned(tmp_path, columns, remedy):
    file = tmp_path / "mine.dump"
    file.write_text(dump(columns))

    done = CliRunner().invoke(
        main, ["describe", str(file), "-o", str(tmp_path / "out.npz"), "--diameters", "[3, 3, 1]"]
    )
    assert done.exit_code == 1
    assert "What to do: --orientations identity" in done.output
    assert remedy in done.output


def test_a_study_that_cannot_run_yet_says_what_to_edit(project):
    header = "Properties=species:S:1:pos:R:3:c_q:R:4"
    (project.root / "mine.xyz").write_text(f"1\n{header}\nC 0 0 0 0 0 0 0\n")
    done = CliRunner().invoke(main, ["new", "mine", "mine.xyz"])

    assert done.exit_code == 1
    assert "It cannot run yet" in done.output
    assert "Edit config/studies/mine.yaml, or mend mine.xyz; then `anisweep plan study=mine`" in done.output
    assert "rm config/studies/mine.yaml" in done.output
