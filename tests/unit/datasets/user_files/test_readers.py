"""What files of other programs may hold, and what is found where they were cut, changed or mistaken."""

from __future__ import annotations

import gzip
import lzma
import os
import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from ase import Atoms

from anisweep.datasets import DataError
from anisweep.datasets.species import names_in
from anisweep.datasets.user_files.userfile import read_any
from anisweep.describe.first_pass import survey

BOX = "ITEM: BOX BOUNDS pp pp pp\n0 10\n0 10\n0 10\n"
COLUMNS = "ITEM: ATOMS id type x y z c_q[1] c_q[2] c_q[3] c_q[4]\n"
ROWS = "1 1 1 1 1 1 0 0 0\n2 1 2.5 1.2 1 .5 .5 .5 .5\n3 2 1 3.5 2 1 0 0 1\n"

XYZ_OF_ONE = "1\nProperties=species:S:1:pos:R:3\nC 0 0 0.5\n"


def dump(rows: str = ROWS, columns: str = COLUMNS, box: str = BOX, said: int = 3) -> str:
    return f"ITEM: TIMESTEP\n0\nITEM: NUMBER OF ATOMS\n{said}\n{box}{columns}{rows}"


DATA = """\
LAMMPS data file

2 atoms
1 atom types
2 ellipsoids

0 10 xlo xhi
0 10 ylo yhi
0 10 zlo zhi

Masses

1 1

Atoms # ellipsoid

1 1 1 0.6366 1 1 1
2 1 1 0.6366 3 1 1

Ellipsoids

1 1 1 3 1 0 0 0
2 1 1 3 0.5 0.5 0.5 0.5
"""

LATTICE = 'Lattice="9 0 0 0 9 0 0 0 9"'
XYZ = f'2\n{LATTICE} Properties=species:S:1:pos:R:3 pbc="T T T"\nC 0 0 0\nH 2 1 0.5\n'


def written(folder: Path, text: str, name: str) -> Path:
    path = folder / name
    path.write_bytes(text.encode())
    return path


def read(folder: Path, text: str, name: str = "all.xyz", file_format: str | None = None) -> list[Atoms]:
    return list(read_any(written(folder, text, name), file_format=file_format))


def species(frame: Atoms) -> list[str]:
    names = names_in(frame)
    return [names[number] for number in frame.numbers.tolist()]


@dataclass
class Refused:
    """A file that is refused, and what the message has to say."""

    label: str
    text: str
    says: list[str]
    name: str = "all.dump"


REFUSED = [
    Refused("rows that are missing", dump(ROWS[:18]), ["frame 0", "says 3", "1 are there"]),
    Refused(
        "rows that are missing before a frame", dump(said=4) + dump(), ["frame 0", "says 4", "3 are there"]
    ),
    Refused("rows too many", dump(ROWS + ROWS), ["line 13", "NUMBER OF ATOMS"]),
    Refused("a frame without rows", dump() + "ITEM: TIMESTEP\n1\n", ["frame 1", "the file ends before"]),
    Refused("a cut last line", dump()[:-1], ["line 12", "may have been cut", "echo >>"]),
    Refused("a row with a value less", dump(ROWS[:-3] + "\n"), ["frame 0", "line 12", "8 values", "9"]),
    Refused("words for positions", dump(ROWS.replace("2.5", "two")), ["positions", "words"]),
    Refused("an id that is there twice", dump(ROWS.replace("3 2 1", "2 2 1")), ["column id", "2", "twice"]),
    Refused("an id of zero", dump(ROWS.replace("3 2 1", "0 2 1")), ["column id", "'0' came"]),
    Refused("an id without end", dump(ROWS.replace("3 2 1", f"{'9' * 5000} 2 1")), ["column id", "9999"]),
    Refused("a dump without columns", dump(columns="ITEM: ATOMS\n"), ["ITEM: ATOMS", "no columns"]),
    Refused("an id that is no whole number", dump(ROWS.replace("3 2 1", "3.5 2 1")), ["column id", "3.5"]),
    Refused(
        "no positions",
        dump(columns=COLUMNS.replace(" x y z", " a b c")),
        ["positions", "dump ID all custom", "xs ys zs"],
    ),
    Refused("no species", dump(columns=COLUMNS.replace("type", "mass")), ["species", "a mass is no species"]),
    Refused("a column twice", dump(columns=COLUMNS.replace("c_q[2]", "c_q[1]")), ["c_q[1]", "twice"]),
    Refused("no flags of the boundaries", dump(box=BOX.replace(" pp", "")), ["BOX BOUNDS", "pp pp pp"]),
    Refused("other boundaries", dump(box=BOX.replace("pp pp pp", "xy xz")), ["BOX BOUNDS"]),
    Refused("a box of words", dump(box=BOX.replace("0 10", "0 ten", 1)), ["BOX BOUNDS", "numbers"]),
    Refused("an infinite box", dump(box=BOX.replace("0 10", "0 inf", 1)), ["BOX BOUNDS", "inf"]),
    Refused("no box", dump(box=""), ["BOX BOUNDS is missing"]),
    Refused("a number of atoms in words", dump().replace("ATOMS\n3", "ATOMS\nx"), ["NUMBER OF ATOMS", "'x'"]),
    Refused(
        "a dump of pairs",
        dump().replace("ATOMS\n3", "ENTRIES\n3"),
        ["'ITEM: NUMBER OF ENTRIES'", "dump custom"],
    ),
    Refused("a dump that is text behind", dump() + "done\n", ["'done'", "line 13"]),
    Refused("no atoms", dump("", said=0), ["particles", "there are none"]),
    Refused(
        "no style of atoms",
        DATA.replace(" # ellipsoid", ""),
        ["section Atoms", "Atoms # ellipsoid"],
        "a.data",
    ),
    Refused("an unknown style", DATA.replace("# ellipsoid", "# mine"), ["'mine'", "hybrid"], "a.data"),
    Refused("another style", DATA.replace("# ellipsoid", "# atomic"), ["7 values", "atomic"], "a.data"),
    Refused(
        "an atom that is missing", DATA.replace("2 atoms", "3 atoms"), ["section Atoms", "3 atoms"], "a.data"
    ),
    Refused(
        "a shape that is missing",
        DATA.replace("2 1 1 3 0.5 0.5 0.5 0.5\n", ""),
        ["2 ellipsoids", "1 are"],
        "a.data",
    ),
    Refused("a shape of no atom", DATA.replace("2 1 1 3", "7 1 1 3"), ["no atom has the id 7"], "a.data"),
    Refused("a shape twice", DATA.replace("2 1 1 3", "1 1 1 3"), ["twice"], "a.data"),
    Refused("no section of shapes", DATA[: DATA.index("Ellipsoids")], ["2 ellipsoids", "0 are"], "a.data"),
    Refused("no side of the box", DATA.replace("0 10 xlo xhi\n", ""), ["xlo xhi", "2 numbers"], "a.data"),
    Refused("a broken section", DATA.replace("Atoms #", "12 #"), ["a section begins"], "a.data"),
    Refused("a billion columns", XYZ.replace("pos:R:3", "pos:R:999999999"), ["999999999"], "all.xyz"),
    Refused(
        "a billion columns more", XYZ.replace("pos:R:3", "pos:R:3:a:R:999999999"), ["4 values"], "all.xyz"
    ),
    Refused("columns without end", XYZ.replace("pos:R:3", f"pos:R:{'9' * 99}"), ["Properties"], "all.xyz"),
    Refused("no columns", XYZ.replace("pos:R:3", "pos:R:0"), ["'0' stands for a number"], "all.xyz"),
    Refused("half a column", XYZ.replace("pos:R:3", "pos:R:3:c_q:R"), ["is missing"], "all.xyz"),
    Refused(
        "a column twice in XYZ", XYZ.replace("pos:R:3", "pos:R:3:pos:R:3"), ["'pos'", "twice"], "all.xyz"
    ),
    Refused("two lattices", XYZ.replace("pbc", f'{LATTICE[:-2]}8" pbc'), ["lattice", "twice"], "all.xyz"),
    Refused(
        "eight numbers of a lattice", XYZ.replace("9 0 0 0 9 0", "9 0 0 0 9"), ["nine numbers"], "all.xyz"
    ),
    Refused("a word for a flag", XYZ.replace('"T T T"', '"T T maybe"'), ["pbc", "maybe"], "all.xyz"),
    Refused("columns beyond those named", XYZ.replace("0.5\n", "0.5 7\n"), ["line 4", "5 values"], "all.xyz"),
    Refused("no positions in XYZ", XYZ.replace("pos:R:3", "place:R:3"), ["pos:R:3", "place"], "all.xyz"),
    Refused("one name, two species", "2\n\n1 0 0 0\nH 0 0 1\n", ["species", "1"], "all.xyz"),
    Refused(
        "a logical that is none", "1\nProperties=species:S:1:pos:R:3:l:L:1\nC 0 0 0 x\n", ["'x'"], "all.xyz"
    ),
    Refused(
        "words for atomic numbers",
        "1\nProperties=species:S:1:pos:R:3:numbers:S:1\nC 0 0 0 x\n",
        ["whole numbers"],
        "all.xyz",
    ),
]


@pytest.mark.parametrize("case", REFUSED, ids=lambda case: case.label)
def test_what_is_lost_or_made_up_is_found(tmp_path, case):
    with pytest.raises(DataError) as caught:
        read(tmp_path, case.text, case.name)

    message = str(caught.value)
    assert message.startswith(str(tmp_path / case.name))
    assert all(words in message for words in case.says), message


@pytest.mark.parametrize("name", ["all.XYZ", "all.EXTXYZ", "all.ExtXyz", "all.extxyz"])
def test_a_blank_line_hides_no_frame_whatever_the_ending(tmp_path, name):
    with pytest.raises(DataError, match="a blank line, and more data from line 6 on"):
        read(tmp_path, f"{XYZ}\n{XYZ}", name)


SCALED = dump("1 1 .1 .1 .1\n2 1 .25 .12 .1\n3 2 .1 .35 .2\n", "ITEM: ATOMS id type xs ys zs\n")


def test_scaled_positions_are_positions(tmp_path):
    (scaled,) = read(tmp_path, SCALED, "xs.dump")
    (plain,) = read(tmp_path, dump(), "x.dump")

    assert scaled.positions == pytest.approx(plain.positions, abs=1e-15)


def test_masses_are_no_species(tmp_path):
    columns = "ITEM: ATOMS id type mass x y z\n"
    (frame,) = read(tmp_path, dump("1 1 10 1 1 1\n2 2 10.4 2 1 1\n3 3 10.8 1 3 2\n", columns), "all.dump")

    assert species(frame) == ["1", "2", "3"]
    assert frame.arrays["mass"].tolist() == [10, 10.4, 10.8]


@pytest.mark.parametrize("number", [119, 150, 2**31 - 1])
def test_any_positive_integer_is_a_species(tmp_path, number):
    (typed,) = read(tmp_path, dump(ROWS.replace("3 2 1", f"3 {number} 1")), "all.dump")
    (extended,) = read(tmp_path, f"1\nProperties=Z:I:1:pos:R:3\n{number} 0 0 0\n")

    assert species(typed) == ["1", "1", str(number)]
    assert species(extended) == [str(number)]


def test_names_of_beads_and_types_in_plain_xyz(tmp_path):
    text = "3\n Atoms. Timestep: 0\n{} 0 0 0\n{} 0 0 2\nQ0 0 0 4 7 word\n"
    for names in (["NC3", "PO4"], ["1", "2"]):
        with pytest.raises(DataError, match="line 5"):
            read(tmp_path, text.format(*names))

        (frame,) = read(tmp_path, text.format(*names).replace(" 7 word", ""))
        assert species(frame) == [*names, "Q0"]


def test_columns_that_plain_xyz_does_not_name_are_kept(tmp_path):
    (frame,) = read(tmp_path, "2\nno names\nC 0 0 0 7 a\nH 0 0 1 8.5 b\n")

    assert frame.arrays["column_5"].tolist() == [7, 8.5]
    assert frame.arrays["column_6"].tolist() == ["a", "b"]


HEADERS = {
    "form feed": f"title=run1\x0cB x {LATTICE} Properties=species:S:1:pos:R:3",
    "line separator": f"box\u2028B {LATTICE} Properties=species:S:1:pos:R:3",
    "next line": f"a\x85B \x1c \x0b {LATTICE} Properties=species:S:1:pos:R:3",
    "quoted columns": f'note="was Properties=label:S:1:pos:R:3" {LATTICE} Properties=species:S:1:pos:R:3',
    "quoted lattice": f"note='Lattice=\"1 0 0 0 1 0 0 0 1\"' {LATTICE} Properties=species:S:1:pos:R:3",
    "an apostrophe": f"Bob's {LATTICE} Properties=species:S:1:pos:R:3 of Al's",
    "a quote in a quote": f'note="a \\"b\\" Properties=x:S:1" {LATTICE} Properties=species:S:1:pos:R:3',
    "blanks about the sign": f"{LATTICE.replace('=', ' = ')} Properties = species:S:1:pos:R:3",
    "small letters": f"{LATTICE.lower()} properties=species:S:1:pos:R:3",
    "braces": "Lattice={9 0 0 0 9 0 0 0 9} Properties={species:S:1:pos:R:3}",
    "carriage returns": f"{LATTICE} Properties=species:S:1:pos:R:3\r",
}


@pytest.mark.parametrize("header", HEADERS)
def test_a_header_is_one_line_in_which_quotes_count(tmp_path, header):
    text = f"2\n{HEADERS[header]}\nC 0 0 0\nH 2 1 0.5\n"
    (frame,) = read(tmp_path, text)
    seen = survey(written(tmp_path, text, "again.xyz"))

    assert species(frame) == ["C", "H"]
    assert frame.cell.lengths().tolist() == [9, 9, 9]
    assert (seen.counts.tolist(), seen.species.tolist()) == ([2], [1, 6])


def test_a_header_cannot_say_what_frames_keep_for_themselves(tmp_path):
    (frame,) = read(tmp_path, "1\nspecies_names=nonsense written_by=HOOMD\nC 0 0 0\n")

    assert species(frame) == ["C"]
    assert "written_by" not in frame.info


@pytest.mark.parametrize(
    "text", ["[" * 200_000, '"' * 200_001, "a=" * 200_000, "\\" * 200_001, "{a" * 100_000]
)
def test_a_hostile_header_takes_no_time(tmp_path, text):
    (frame,) = read(tmp_path, f"1\n{text}\nC 0 0 0\n")

    assert len(frame) == 1


def test_a_data_file_gives_shapes_and_orientations(tmp_path):
    (frame,) = read(tmp_path, DATA, "all.data")

    assert species(frame) == ["1", "1"]
    assert frame.arrays["c_q"].tolist() == [[1, 0, 0, 0], [0.5, 0.5, 0.5, 0.5]]
    assert [frame.arrays[f"c_diameter[{axis}]"].tolist() for axis in "123"] == [[1, 1], [1, 1], [3, 3]]
    assert (frame.pbc.all(), frame.cell.lengths().tolist()) == (True, [10, 10, 10])


def test_a_particle_that_is_no_ellipsoid_has_no_diameters(tmp_path):
    text = DATA.replace("2 ellipsoids", "1 ellipsoids").replace("2 1 1 3 0.5 0.5 0.5 0.5\n", "")
    (frame,) = read(tmp_path, text, "all.data")

    assert np.isnan(frame.arrays["c_diameter[1]"]).tolist() == [False, True]


@pytest.mark.parametrize(
    ("name", "content", "remedy"),
    [
        ("all.dcd", b"\x54\x00\x00\x00CORD" + bytes(80), "MDAnalysis"),
        ("all", b"\x54\x00\x00\x00CORD" + bytes(80), "MDAnalysis"),
        ("all.xtc", b"\x00\x00\x07\xcb" + bytes(80), "MDAnalysis"),
        ("all.trr", b"\x00\x00\x07\xc9" + bytes(80), "MDAnalysis"),
        ("all.pos", b"boxMatrix 1 0 0 0 1 0 0 0 1\n", "garnett"),
        ("all.dump", b"\xf6\xff\xff\xff\xff\xff\xff\xffDUMPCUSTOM" + bytes(80), "binary2txt all.dump"),
        ("all.bin", bytes(80), "binary2txt all.bin"),
        ("all.yaml", b"---\ncreator: LAMMPS\n", "dump ID all custom"),
    ],
)
def test_formats_without_orientations_are_refused_with_the_way_to_convert(tmp_path, name, content, remedy):
    path = tmp_path / name
    path.write_bytes(content)

    with pytest.raises(DataError, match=remedy):
        list(read_any(path))


def test_a_format_is_told_where_the_ending_misleads(tmp_path):
    assert len(read(tmp_path, XYZ, "all.out", "xyz")) == 1
    assert len(read(tmp_path, XYZ, "all.cif", "xyz")) == 1
    assert len(read(tmp_path, dump(), "all.xyz")) == 1, "what begins with ITEM: is a dump"

    with pytest.raises(DataError, match="no format 'nonsense'"):
        read(tmp_path, XYZ, "all.xyz", "nonsense")
    with pytest.raises(DataError, match="--format"):
        read(tmp_path, XYZ, "all.cif")


def test_readers_of_ase_may_not_make_up_places_or_elements(tmp_path):
    pdb = "ATOM      1  C   MOL     1       1.000   1.000   1.000  1.00  0.00           C\n"
    with pytest.raises(DataError, match="the same place"):
        read(tmp_path, pdb * 2 + "END\n", "all.pdb")


GRO = """\
two beads
    2
    1DPPC  NC3    1   1.000   1.000   1.000
    1DPPC  PO4    2   1.000   1.000   1.470
   3.00000   3.00000   3.00000
"""
PDB = """\
MODEL     1
ATOM      1  NC3 DPP     1       1.000   1.000   1.000  1.00  0.00          {}
ATOM      2  PO4 DPP     1       2.000   1.000   1.000  1.00  0.00          {}
ENDMDL
"""


def test_names_of_atoms_are_species_where_no_elements_are_given(tmp_path):
    (gromacs,) = read(tmp_path, GRO, "all.gro")
    (beads,) = read(tmp_path, PDB.format("", ""), "beads.pdb")
    (elements,) = read(tmp_path, PDB.format(" N", " P"), "elements.pdb")

    assert species(gromacs) == species(beads) == ["NC3", "PO4"]
    assert species(elements) == ["N", "P"]


def test_the_end_of_a_pdb_file_is_no_frame(tmp_path):
    assert len(read(tmp_path, PDB.format(" N", " P") * 2 + "END\n", "all.pdb")) == 2


def test_a_pipe_is_refused_and_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / "pipe.xyz")

    with pytest.raises(DataError, match="It is a pipe"):
        list(read_any(tmp_path / "pipe.xyz"))


def test_without_zstandard(tmp_path, monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "zstandard", None)

    with pytest.raises(DataError, match=r"pip install 'anisweep\[zstd\]'.*zstd -d all.xyz.zst"):
        read(tmp_path, "(\xb5/\xfd", "all.xyz.zst")


@pytest.mark.parametrize("given", ["dcd", ".dcd", "DCD", "pos", "xtc"])
def test_a_format_that_is_given_and_not_read_is_refused_with_the_way_to_convert(tmp_path, given):
    (tmp_path / "a.xyz").write_text(XYZ_OF_ONE)

    with pytest.raises(DataError, match="convert it: "):
        list(read_any(tmp_path / "a.xyz", file_format=given))


@pytest.mark.parametrize("given", [".xyz", "XYZ", "extxyz"])
def test_a_format_may_be_given_as_an_ending(tmp_path, given):
    (tmp_path / "a.txt").write_text(XYZ_OF_ONE)

    assert len(list(read_any(tmp_path / "a.txt", file_format=given))) == 1


@pytest.mark.parametrize(
    ("ending", "compressed", "remedy"),
    [
        ("", bytes, "echo >>"),
        (".gz", gzip.compress, "echo | gzip >>"),
        (".xz", lzma.compress, "echo | xz >>"),
    ],
)
def test_a_last_line_without_an_end_is_refused_with_the_command_that_ends_it(
    tmp_path, ending, compressed, remedy
):
    file = tmp_path / f"a b.xyz{ending}"
    file.write_bytes(compressed(XYZ_OF_ONE.rstrip("\n").encode()))

    with pytest.raises(DataError, match=re.escape(f"{remedy} '{file}'")):
        list(read_any(file))

    file.write_bytes(file.read_bytes() + compressed(b"\n"))
    assert len(list(read_any(file))) == 1
