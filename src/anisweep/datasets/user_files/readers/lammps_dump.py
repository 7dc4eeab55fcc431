"""Read text dumps of LAMMPS: every column, every particle, and the box.

Lengths stay in the unit of the simulation, and every column is kept under the name that it has in the file.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from ase import Atoms

from anisweep.datasets.errors import DataError, Place
from anisweep.datasets.species import NO_SPECIES
from anisweep.datasets.user_files.labels import Labels
from anisweep.datasets.user_files.lammps_box import Box, box_of_bounds
from anisweep.datasets.user_files.lammps_particles import assembled
from anisweep.datasets.user_files.readers import Format
from anisweep.datasets.user_files.rows import Array, Group, Rows, real_or_words, whole_or_words
from anisweep.datasets.user_files.text_lines import Lines, open_lines

#: Lines that belong to an item of a frame's head. The rows of particles are the last item.
ITEMS = {"UNITS": 1, "TIME": 1, "TIMESTEP": 1, "NUMBER OF ATOMS": 1, "BOX BOUNDS": 3, "ATOMS": 0}

#: Columns by their type; any other holds real numbers if it can, else words.
WHOLE = ("id", "mol", "proc", "procp1", "type", "ix", "iy", "iz")
WORDS = ("element", "typelabel")

#: Where the particles are, in the order in which they are looked for. The second is in parts of the box.
PLACES = (("x", "y", "z"), ("xu", "yu", "zu"))
SCALED_PLACES = (("xs", "ys", "zs"), ("xsu", "ysu", "zsu"))

#: Vectors that a dump gives in the user's axes where it gives positions so, by what stands before x, y and z.
VECTORS = ("v", "f", "mu", "omega", "angmom", "tq")

#: Where the species stand. Never their masses: two types can have the same one.
SPECIES = ("element", "typelabel", "type")

ALLOWED = "frames as `dump custom` writes them"
AGAIN = "write the dump again, or remove the frame"


@dataclass(frozen=True)
class Snapshot:
    """Hold the text of a frame.

    Attributes
    ----------
    said : the lines of each item before the particles, by its name; ``flags`` behind BOX BOUNDS
    line : number of the first row
    """

    said: dict[str, list[str]]
    flags: str
    columns: list[str]
    rows: list[str]
    line: int


def read_dump(path: Path, first: int = 0, end: int | None = None) -> Iterator[Atoms]:
    """Read frame after frame; those before ``first`` are only counted.

    Raises
    ------
    DataError
        Naming the frame, and the line where one is at fault.
    """
    labels = Labels()
    units = ""

    with open_lines(path) as lines:
        for number, snapshot in enumerate(_snapshots(lines)):
            units = "".join(snapshot.said.get("UNITS", [units])).strip()
            if number == end:
                return
            if number >= first:
                yield _frame(snapshot, units, Place(str(path), number), labels)
        lines.check_end()


def _snapshots(lines: Lines) -> Iterator[Snapshot]:
    for number in itertools.count():
        snapshot = _snapshot(lines, Place(str(lines.path), number))
        if snapshot is None:
            return
        yield snapshot


def _snapshot(lines: Lines, place: Place) -> Snapshot | None:
    """Take the lines of the next frame, if there is one."""
    said: dict[str, list[str]] = {}
    flags = ""

    while line := lines.next():
        if not line.strip() and not said:
            continue

        name, rest = _item(line, lines, place)
        if name == "ATOMS":
            first = lines.number + 1
            return Snapshot(said, flags, rest.split(), _rows(lines, said, place), first)
        if name in said:
            came = f"ITEM: {name} is there twice, and no particles between"
            raise place.error(f"line {lines.number}", came, ALLOWED, AGAIN)

        said[name] = lines.take(ITEMS[name])
        flags = rest if name == "BOX BOUNDS" else flags

    if said:
        raise place.error("particles", "the file ends before them", ALLOWED, AGAIN)
    return None


def _item(line: str, lines: Lines, place: Place) -> tuple[str, str]:
    """Return the name of an item, and what stands behind it."""
    for name in sorted(ITEMS, key=len, reverse=True):
        if f"{line.rstrip()} ".startswith(f"ITEM: {name} "):
            return name, line.rstrip()[len(f"ITEM: {name}") :]

    where = f"line {lines.number}"
    came = f"{line.strip()[:60]!r} stands where an item of a frame begins"
    if line.startswith("ITEM: "):
        raise place.error(where, came, f"the items {', '.join(ITEMS)}", "write the dump with `dump custom`")

    if place.frame == 0:
        remedy = "name the format that the file has with --format, in a study with `format:`"
        raise place.error(where, came, "ITEM: TIMESTEP, as every dump begins", remedy)
    remedy = "correct NUMBER OF ATOMS of the frame before, or remove what is too much"
    raise place.error(where, came, "as many particles as NUMBER OF ATOMS says", remedy)


def _rows(lines: Lines, said: dict[str, list[str]], place: Place) -> list[str]:
    """Take as many rows as are announced."""
    for name in ("NUMBER OF ATOMS", "BOX BOUNDS"):
        if name not in said:
            raise place.error("head", f"ITEM: {name} is missing", ALLOWED, AGAIN)

    text = "".join(said["NUMBER OF ATOMS"]).strip()
    if not (text.isascii() and text.isdigit() and len(text) < 19):
        raise place.error("NUMBER OF ATOMS", f"{text[:60]!r} came", "a whole number", AGAIN)

    count = int(text)
    rows = lines.take(count)
    found = next((row for row, line in enumerate(rows) if line.startswith("ITEM:")), len(rows))
    if found < count:
        came = f"NUMBER OF ATOMS says {count}, and {found} are there"
        raise place.error("particles", came, "as many rows as it says", AGAIN)
    return rows


def _frame(snapshot: Snapshot, units: str, place: Place, labels: Labels) -> Atoms:
    if not snapshot.rows:
        return Atoms()  # a group of LAMMPS may be empty; the caller refuses such frames

    arrays = _arrays(snapshot, place)
    box = box_of_bounds(snapshot.said["BOX BOUNDS"], snapshot.flags, place)
    positions = _positions(arrays, box, place)
    if box.turn is not None:
        _turn_vectors(arrays, box.turn)
    species = _species(arrays)

    frame = assembled(arrays, positions, species or ["X"] * len(positions), box, labels, place)
    frame.info.update(_info(snapshot, units, place))
    if not species:
        frame.info[NO_SPECIES] = _no_species(arrays, place)
    return frame


def _arrays(snapshot: Snapshot, place: Place) -> dict[str, Array]:
    """Return every column by its name."""
    names = snapshot.columns
    twice = [name for name in names if names.count(name) > 1]
    if twice:
        came = f"the column {twice[0]} is there twice"
        raise place.error(
            "ITEM: ATOMS", came, "a name for each column", "rename one with dump_modify colname"
        )

    if not names:
        raise place.error("ITEM: ATOMS", "it names no columns", "id type x y z and others", AGAIN)

    rows = Rows(snapshot.rows, snapshot.line, place, "ITEM: ATOMS")
    groups = [_group(position, name) for position, name in enumerate(names)]
    return dict(zip(names, rows.arrays(groups), strict=True))


def _group(position: int, name: str) -> Group:
    if name in WORDS:
        return Group(position, 1, np.array, object)
    if name in WHOLE:
        return Group(position, 1, whole_or_words, np.int64)
    return Group(position, 1, real_or_words, np.float64)


def _positions(arrays: dict[str, Array], box: Box, place: Place) -> Array:
    """Take the columns of positions out of the others, and return positions in the axes of the box."""
    for names in (*PLACES, *SCALED_PLACES):
        if not all(name in arrays for name in names):
            continue

        values = np.stack([arrays.pop(name) for name in names], axis=1)
        if values.dtype.kind not in "fi":
            came = f"the columns {' '.join(names)} hold words"
            raise place.error("positions", came, "numbers", AGAIN)
        return box.placed(values) if names in SCALED_PLACES else box.turned(values)

    sets = " or ".join(" ".join(names) for names in (*PLACES, *SCALED_PLACES))
    came = f"there are none among the columns {' '.join(arrays)}"
    raise place.error(
        "positions", came, sets, "write them with the dump: dump ID all custom N FILE id type x y z"
    )


def _turn_vectors(arrays: dict[str, Array], turn: Array) -> None:
    """Turn vectors into the axes of the cell, as positions are turned."""
    for stem in VECTORS:
        names = [stem + axis for axis in "xyz"]
        if all(name in arrays and arrays[name].dtype.kind == "f" for name in names):
            vectors = np.stack([arrays[name] for name in names], axis=1) @ turn.T
            arrays |= dict(zip(names, vectors.T, strict=True))


def _species(arrays: dict[str, Array]) -> list[str]:
    """Return the name of each particle's species; empty where no column has them."""
    name = next((name for name in SPECIES if name in arrays), None)
    return [str(value) for value in arrays[name].tolist()] if name else []


def _no_species(arrays: dict[str, Array], place: Place) -> DataError:
    """Return the error for those who need species."""
    came = f"there is none among the columns {' '.join(arrays)}"
    remedy = "write it with the dump: dump ID all custom N FILE id type x y z"
    if {"mol", "mass"} <= set(arrays):
        remedy += "; or make a particle of each molecule, for which masses are enough, with anisweep coarsen"
    return place.error("species", came, f"a column {', '.join(SPECIES)}; a mass is no species", remedy)


def _info(snapshot: Snapshot, units: str, place: Place) -> dict[str, Any]:
    """Return what the head says besides the box."""
    info: dict[str, Any] = {"units": units} if units else {}

    for item, key, kind in (("TIMESTEP", "timestep", int), ("TIME", "time", float)):
        if item in snapshot.said:
            text = "".join(snapshot.said[item]).strip()
            try:
                info[key] = kind(text)
            except ValueError:
                raise place.error(f"ITEM: {item}", f"{text[:60]!r} came", "a number", AGAIN) from None
    return info


FORMAT = Format(
    read_dump,
    endings=(".lammpstrj", ".lammpsdump", ".dump"),
    beginning=re.compile(rb"\s*ITEM: "),
    in_place_of=("lammps-dump-text",),
)
