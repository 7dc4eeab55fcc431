"""Read data files of LAMMPS, with the shapes and orientations of their ellipsoids.

LAMMPS keeps them as ``id sx sy sz w i j k``: full diameters, and quaternions that turn the body's axes.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from ase import Atoms

from anisweep.datasets.canonical import DIAMETERS, IDENTITY
from anisweep.datasets.errors import Place
from anisweep.datasets.user_files.labels import Labels
from anisweep.datasets.user_files.lammps_box import Box, general_box, restricted_box
from anisweep.datasets.user_files.lammps_particles import assembled
from anisweep.datasets.user_files.readers import Format
from anisweep.datasets.user_files.rows import Array, Group, Rows, real, real_or_words, whole, whole_or_words
from anisweep.datasets.user_files.text_lines import Lines, open_lines

#: The columns of the section Atoms by its style; three image flags may follow.
STYLES = {
    "atomic": "id type x y z",
    "body": "id type bodyflag mass x y z",
    "charge": "id type q x y z",
    "dipole": "id type q x y z mux muy muz",
    "ellipsoid": "id type ellipsoidflag density x y z",
    "sphere": "id type diameter density x y z",
    "bond": "id mol type x y z",
    "angle": "id mol type x y z",
    "molecular": "id mol type x y z",
    "full": "id mol type q x y z",
    "line": "id mol type lineflag density x y z",
    "tri": "id mol type triangleflag density x y z",
}

#: What every hybrid style begins with. What follows depends on an order that no file says.
HYBRID = "id type x y z"

IMAGES = "ix iy iz"
SHAPES = "id sx sy sz w i j k"
WHOLE = ("id", "mol", "type", "ellipsoidflag", "bodyflag", "lineflag", "triangleflag", *IMAGES.split())

#: Directions that are periodic. No data file says it, and this is what LAMMPS takes.
PERIODIC = (True, True, True)

#: The same for users.
UNSAID = (
    "periodic in all directions, as LAMMPS reads a data file; it does not say. For a slab or a cluster let "
    "LAMMPS write a dump, which says it (`boundary p p f`, then `write_dump`), or convert it to extended XYZ "
    'with pbc="T T F"'
)

#: How lines of the head end, behind their numbers: "atoms", "xlo xhi", "xy xz yz" ...
HEAD = re.compile(r"[a-z]+( [a-z]+)*")

AGAIN = "write the file with LAMMPS's write_data"


@dataclass
class DataFileSection:
    """Hold a part of the file: the comment behind its name, the number of its first row, and its rows."""

    hint: str
    first: int
    rows: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class DataFile:
    """Hold the text of a file: the numbers of its head by the words behind them, and its sections by name."""

    head: dict[str, list[str]]
    sections: dict[str, DataFileSection]
    units: str


def read_data(path: Path, first: int = 0, end: int | None = None) -> Iterator[Atoms]:
    """Read the one frame of a data file.

    Raises
    ------
    DataError
        Naming the section, and the line where one is at fault.
    """
    place = Place(str(path), 0)

    with open_lines(path) as lines:
        text = _divided(lines, place)
        lines.check_end()
    if first == 0 and end != 0:
        yield _frame(text, place)


def _divided(lines: Lines, place: Place) -> DataFile:
    """Divide a file into its head and its sections, which begin with their name between blank lines."""
    units = re.search(r"units = (\w+)", lines.next())
    head: dict[str, list[str]] = {}
    sections: dict[str, DataFileSection] = {}
    section: DataFileSection | None = None

    while line := lines.next():
        text, _, comment = (part.strip() for part in line.partition("#"))
        if not text:
            section = section if section and not section.rows else None
        elif section:
            section.first = section.first if section.rows else lines.number
            section.rows.append(text)
        elif HEAD.fullmatch(words := " ".join(word for word in text.split() if word[0].islower())):
            head[words] = [word for word in text.split() if not word[0].islower()]
        else:
            section = _begun(text, comment, sections, lines, place)
    return DataFile(head, sections, units[1] if units else "")


def _begun(
    name: str, hint: str, sections: dict[str, DataFileSection], lines: Lines, place: Place
) -> DataFileSection:
    where = f"line {lines.number}"

    if not name[0].isalpha() or name in sections:
        came = f"{name[:60]!r} stands where a section begins"
        allowed = "the name of another section, with a blank line before it and one behind it"
        raise place.error(where, came, allowed, AGAIN)

    sections[name] = DataFileSection(hint, lines.number)
    return sections[name]


def _frame(text: DataFile, place: Place) -> Atoms:
    arrays = _atoms(text, place)
    box = _box(text.head, place)
    positions = np.stack([arrays.pop(axis) for axis in "xyz"], axis=1)

    if "Ellipsoids" in text.sections or "ellipsoids" in text.head:
        _add_shapes(arrays, text, place)

    names = [str(value) for value in arrays["type"].tolist()]
    labels = _type_labels(text, place)
    species = [labels.get(name, name) for name in names]

    frame = assembled(arrays, positions, species, box, Labels(), place)
    if text.units:
        frame.info["units"] = text.units
    return frame


def _atoms(text: DataFile, place: Place) -> dict[str, Array]:
    """Return the columns of the section Atoms by name."""
    section = _section(text, "Atoms", "atoms", place)
    width = len(section.rows[0].split())
    names = _columns(section.hint, width, place)

    rows = Rows(section.rows, section.first, place, f"the style {section.hint}")
    kinds = [(whole_or_words, np.int64) if name in WHOLE else (real_or_words, np.float64) for name in names]
    arrays = rows.arrays([Group(position, 1, *kind) for position, kind in enumerate(kinds)])
    columns = dict(zip(names, arrays, strict=True))

    for axis in "xyz":
        if columns[axis].dtype.kind not in "fi":
            raise place.error("section Atoms", f"the column {axis} holds words", "numbers", AGAIN)
    return columns


def _columns(hint: str, width: int, place: Place) -> list[str]:
    """Return the names of the columns of Atoms."""
    style = hint.split()[0] if hint else ""
    remedy = "write the style of the atoms behind the section's name, for example: Atoms # ellipsoid"

    if style == "hybrid" and width >= len(HYBRID.split()):
        names = HYBRID.split()
        return [*names, *(f"column_{position}" for position in range(len(names) + 1, width + 1))]
    if style not in STYLES:
        came = f"its style is {style!r}" if style else "nothing says which columns it has"
        raise place.error("section Atoms", came, f"{', '.join(STYLES)} or hybrid", remedy)

    for names in (STYLES[style].split(), f"{STYLES[style]} {IMAGES}".split()):
        if len(names) == width:
            return names
    came = f"its rows have {width} values, and those of the style {style} are {STYLES[style]} ({IMAGES})"
    raise place.error("section Atoms", came, "the style of its rows", remedy)


def _section(text: DataFile, name: str, count: str, place: Place) -> DataFileSection:
    """Return a section, which has as many rows as the head says."""
    section = text.sections.get(name)
    said = " ".join(text.head.get(count, ["0"]))
    there = len(section.rows) if section else 0

    if section is None or str(there) != said:
        came = f"the head says {said} {count}, and {there} are there"
        raise place.error(f"section {name}", came, "as many rows as the head says", AGAIN)
    if not there:
        raise place.error(f"section {name}", "it is empty", "at least one row", AGAIN)
    return section


def _type_labels(text: DataFile, place: Place) -> dict[str, str]:
    """Return the name of each type, where the file gives names."""
    if "Atom Type Labels" not in text.sections:
        return {}

    section = _section(text, "Atom Type Labels", "atom types", place)
    rows = Rows(section.rows, section.first, place, "a label")
    numbers, labels = rows.arrays([Group(0, 1, np.array, object), Group(1, 1, np.array, object)])
    return dict(zip(numbers.tolist(), labels.tolist(), strict=True))


def _box(head: Mapping[str, list[str]], place: Place) -> Box:
    """Return the box of the head."""
    if "avec" in head:
        vectors = [_numbers(head, name, 3, place) for name in ("avec", "bvec", "cvec")]
        origin = _numbers(head, "abc origin", 3, place)
        general_box(np.array(vectors), origin, PERIODIC, place)  # refuses what is no box
        return Box(np.array(vectors), origin, PERIODIC)

    sides = [_numbers(head, f"{axis}lo {axis}hi", 2, place) for axis in "xyz"]
    tilts = _numbers(head, "xy xz yz", 3, place) if "xy xz yz" in head else np.zeros(3)
    low, high = np.array(sides).T
    return restricted_box(low, high, tilts, PERIODIC)


def _numbers(head: Mapping[str, list[str]], words: str, count: int, place: Place) -> Array:
    try:
        numbers = np.array(head.get(words, []), dtype=float)
    except ValueError:
        numbers = np.empty(0)

    if numbers.shape != (count,) or not np.isfinite(numbers).all():
        came = f"{' '.join(head.get(words, ['nothing']))[:60]} stands before {words}"
        raise place.error("head", came, f"{count} numbers and the words {words}", AGAIN)
    return numbers


def _add_shapes(arrays: dict[str, Array], text: DataFile, place: Place) -> None:
    """Add orientations and diameters, which are NaN for a particle that is no ellipsoid."""
    section = _section(text, "Ellipsoids", "ellipsoids", place)
    rows = Rows(section.rows, section.first, place, f"Ellipsoids ({SHAPES})")
    ids, shapes, turns = rows.arrays(
        [Group(0, 1, whole, np.int64), Group(1, 3, real, float), Group(4, 4, real, float)]
    )

    places = {identity: row for row, identity in enumerate(arrays["id"].tolist())}
    unknown = [identity for identity in ids.tolist() if identity not in places]
    if unknown or len(set(ids.tolist())) < len(ids):
        came = f"no atom has the id {unknown[0]}" if unknown else "an id is there twice"
        raise place.error("section Ellipsoids", came, "one row for each atom that is an ellipsoid", AGAIN)

    mine = [places[identity] for identity in ids.tolist()]
    quaternions, diameters = np.tile(IDENTITY, (len(places), 1)), np.full((len(places), 3), np.nan)
    quaternions[mine], diameters[mine] = turns, shapes
    arrays |= {"c_q": quaternions, **dict(zip(DIAMETERS, diameters.T.copy(), strict=True))}


FORMAT = Format(
    read_data,
    endings=(".data", ".lmp"),
    # What the head says. Other formats may say one of it in a comment.
    hints=(
        re.compile(rb"^[ \t]*\d+[ \t]+atoms\b", re.MULTILINE),
        re.compile(rb"^[ \t]*\d+[ \t]+atom[ \t]+types\b", re.MULTILINE),
    ),
    unsaid=UNSAID,
)
