"""One table of what can be wrong with a user's file. Each message says where, what, and what to do."""

from dataclasses import dataclass, field
from typing import Any

import pytest

from anisweep import datasets

LATTICE = 'Lattice="5 0 0 0 5 0 0 0 5" '
NAMES = "Properties=species:S:1:pos:R:3"
SLAB = f'1\n{LATTICE}{NAMES} pbc="T T F"\nC 0 0 0\n'
WIRE = f'1\n{LATTICE}{NAMES} pbc="F F T"\nC 0 0 0\n'
PLACEHOLDER = f'2\nLattice="1 0 0 0 1 0 0 0 1" {NAMES} pbc="T T T"\nC 0 0 0\nC 0 2.5 0\n'
GOOD = f'1\n{LATTICE}{NAMES} pbc="T T T"\nC 0 0 0\n'


@dataclass
class Case:
    """A file, the options, and what the message has to hold besides the file's name."""

    label: str
    text: str
    says: list[str]
    orientations: str | None = None
    diameters: Any = (3.0, 3.0, 1.0)
    name: str = "bad.xyz"
    allowed: list[str] = field(default_factory=list)


def with_array(columns: str, values: str, frames_before: int = 1) -> str:
    """A file whose last frame has one more array."""
    return GOOD * frames_before + f"1\n{LATTICE}{NAMES}:{columns}\nC 0 0 0 {values}\n"


def with_quaternion(values: str) -> str:
    return with_array("c_q:R:4", values, frames_before=0)


def with_matrix(values: str) -> str:
    return with_array("m:R:9", values, frames_before=0)


def with_diameters(values: str) -> str:
    return with_array("d:R:3", values, frames_before=0)


SYNTAX = [
    Case("empty file", "", ["it is empty"]),
    Case("blank file", "\n\n", ["it holds no frame"]),
    Case("no number", GOOD + "one\nheader\n", ["line 4", "'one'", "frame 1"]),
    Case("no particles", "0\nheader\n", ["line 1", "'0'", "whole number from 1"]),
    Case("negative", "-3\nheader\n", ["line 1", "'-3'"]),
    Case("ends early", GOOD + "2\nheader\nC 0 0 0\n", ["frame 1", "the file ends inside it"]),
    Case("too many lines", GOOD + "C 0 0 0\n" + GOOD, ["line 4", "'C 0 0 0'"]),
    Case("blank between", GOOD + "\n" + GOOD, ["line 4", "more data from line 5"]),
    Case("missing column", GOOD + f"1\n{LATTICE}{NAMES}\nC 0 0\n", ["frame 1", "line 6", "3 values"]),
    Case("a word for a number", GOOD + f"1\n{LATTICE}{NAMES}\nC 0 0 zero\n", ["frame 1", "'zero'"]),
    Case("no species", "1\nProperties=pos:R:3\n0 0 0\n", ["frame 0", "species:S:1", "pos:R:3"]),
    Case("species of no name", f"1\n{LATTICE}{NAMES}\n-6 0 0 0\n", ["frame 0", "species -6"]),
    Case("bad properties", f"1\n{LATTICE}{NAMES}:c_q:Z:4\nC 0 0 0 1 0 0 0\n", ["frame 0", "Z"]),
    Case("unknown format", GOOD, ["neither its name nor its content", "--format"], name="bad.nonsense"),
    Case("not compressed", GOOD, ["cannot be read"], name="bad.xyz.xz"),
]

ARRAYS = [
    Case("no orientations", GOOD, ["frame 0", "array c_q", "it is missing"], orientations="c_q"),
    Case("in frame 1 only", with_quaternion("1 0 0 0") + GOOD, ["frame 1", "array c_q"], orientations="c_q"),
    Case("other names", with_array("turn:R:4", "1 0 0 0", 0), ["(turn)"], orientations="c_q"),
    Case("three columns", with_array("c_q:R:3", "1 0 0", 0), ["(1, 3)", "(1, 4)"], orientations="c_q"),
    Case("one column", with_array("c_q:R:1", "1", 0), ["(1,)", "(1, 4)"], orientations="c_q"),
    Case("words", with_array("c_q:S:1", "north", 0), ["array c_q", "real numbers"], orientations="c_q"),
    Case("no diameters", GOOD, ["frame 0", "array c_diameter[1]", "it is missing"], diameters=None),
    Case(
        "lost brackets",
        f"1\n{LATTICE}{NAMES} 1:R:1:c_diameter=T\nC 0 0 0\n",
        ["ASE lost the brackets", "diameters: [3.0, 3.0, 1.0]"],
        diameters=None,
    ),
    Case("wrong width", with_array("d:R:2", "1 1", 0), ["array d", "(1, 2)", "(1, 3)"], diameters="d"),
    Case("two names", with_diameters("1 1 1"), ["2 arrays are named"], diameters=["d", "e"]),
    Case("species left out", GOOD, ["species C", "C: [a, b, c]"], diameters={"H": [1, 1, 1]}),
    Case("two lengths", GOOD, ["[3.0, 1.0]", "three lengths"], diameters=[3.0, 1.0]),
    Case("two for a species", GOOD, ["diameters of C", "[3.0]"], diameters={"C": [3.0]}),
]

PHYSICS = [
    Case("NaN position", GOOD + GOOD.replace("C 0 0 0", "C 0 nan 0"), ["frame 1", "particle 0", "y = nan"]),
    Case("infinite position", GOOD.replace("C 0 0 0", "C inf 0 0"), ["frame 0", "positions", "x = inf"]),
    Case("zero quaternion", with_quaternion("0 0 0 0"), ["[0.0, 0.0, 0.0, 0.0]"], orientations="c_q"),
    Case("NaN quaternion", with_quaternion("1 nan 0 0"), ["array c_q", "nan"], orientations="c_q"),
    Case("skew matrix", with_matrix("1 0.1 0 0 1 0 0 0 1"), ["not orthonormal", "0.1"], orientations="m"),
    Case("mirror", with_matrix("1 0 0 0 1 0 0 0 -1"), ["determinant -1"], orientations="m"),
    Case("zero diameter", with_diameters("3 0 1"), ["particle 0 has 0", "body axis 2"], diameters="d"),
    Case("negative diameter", with_diameters("3 3 -1"), ["has -1", "body axis 3"], diameters="d"),
    Case("tiny diameter", with_diameters("2e-4 3 1"), ["0.0002", "at least 0.001"], diameters="d"),
    Case("NaN diameter", with_diameters("nan 3 1"), ["array d", "nan"], diameters="d"),
    Case("NaN in the study", GOOD, ["has nan", "body axis 1"], diameters=[float("nan"), 1, 1]),
    Case("infinite in the study", GOOD, ["has inf"], diameters=[float("inf"), 1, 1]),
    Case("zero for a species", GOOD, ["has 0"], diameters={"C": [0.0, 1, 1]}),
    Case("no cell", f'1\n{NAMES} pbc="T T T"\nC 0 0 0\n', ["cell", "no volume", 'pbc="F F F"']),
    Case("flat cell", GOOD.replace("0 0 5", "5 0 0"), ["cell", "no volume"]),
    Case("NaN in the cell", GOOD.replace("0 0 5", "0 0 nan"), ["cell", "NaN"]),
    Case("flat slab", SLAB.replace("5 0 0 0 5", "5 0 0 5 0"), ["pbc is T T F", "no area"]),
    Case("wire without length", WIRE.replace("0 0 5", "0 0 0"), ["pbc is F F T", "no length"]),
    Case("infinite cell", GOOD.replace("0 0 5", "0 0 inf"), ["cell", "NaN or inf"]),
    Case("cell of zeros", GOOD.replace("5", "0"), ["cell", "no volume"]),
    Case("tiny cell", GOOD.replace("5", "0.01"), ["images within 7 Angstrom", "check its units"]),
    Case("thin cell", GOOD.replace("0 0 5", "0 0 1e-9"), ["images within 7 Angstrom"]),
    Case(
        "cell of one atom's size",
        GOOD.replace("0 0 5", "0 0 0.5"),
        ["overlap its own image", "its edge along"],
    ),
    Case("placeholder", PLACEHOLDER, ["a cube of 1 Angstrom", "2.5 Angstrom apart"], diameters=[1, 1, 0.5]),
    Case("far away", GOOD.replace("C 0 0 0", "C 0 1e300 0"), ["particle 0 has y = 1e+300", "below 1e+09"]),
    Case("long diameter", GOOD, ["has 1e+12"], diameters=[1e12, 1, 1]),
]


@pytest.mark.parametrize("case", SYNTAX + ARRAYS + PHYSICS, ids=lambda case: case.label)
def test_the_message_says_where_what_and_what_to_do(tmp_path, case):
    path = tmp_path / case.name
    path.write_text(case.text)

    with pytest.raises(datasets.DataError) as caught:
        datasets.read_user_file(datasets.UserFile(path, case.orientations, case.diameters))

    message = str(caught.value)
    assert message.startswith(str(path))
    assert all(words in message for words in case.says), message
    assert caught.value.came
    assert caught.value.allowed
    assert caught.value.remedy


def test_the_good_file_is_good(tmp_path):
    """Every case above begins from this file, so the cases fail for their own reasons."""
    path = tmp_path / "good.xyz"
    path.write_text(GOOD * 2 + with_quaternion("1 0 0 0"))

    assert len(datasets.read_user_file(datasets.UserFile(path, diameters=(3.0, 3.0, 1.0)))) == 3


def test_a_file_that_is_not_there(tmp_path):
    with pytest.raises(datasets.DataError, match=r"none\.xyz: No such file.*correct `file:`"):
        datasets.read_user_file(datasets.UserFile(tmp_path / "none.xyz"))


def test_a_folder_is_no_file(tmp_path):
    with pytest.raises(datasets.DataError, match="It is a folder"):
        _ = datasets.UserFile(tmp_path).digest


def test_bytes_that_are_no_text(tmp_path):
    path = tmp_path / "bad.xyz"
    path.write_bytes(b"\xff\xfe\x00\x01" * 20)

    with pytest.raises(datasets.DataError, match=r"bad\.xyz: it cannot be read"):
        datasets.read_user_file(datasets.UserFile(path))
