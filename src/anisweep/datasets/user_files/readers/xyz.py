"""Read frames of XYZ, extended or plain, with every column of the file under its own name."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from ase import Atoms

from anisweep.datasets.errors import Place
from anisweep.datasets.species import remember, usual_name
from anisweep.datasets.user_files.keeping import keep
from anisweep.datasets.user_files.labels import Labels
from anisweep.datasets.user_files.readers import Format
from anisweep.datasets.user_files.rows import Group, Rows, guessed, real, whole
from anisweep.datasets.user_files.xyz_header import LOGICAL, Column, columns_in, parse
from anisweep.datasets.user_files.xyz_syntax import XyzFrame, xyz_frames

#: Where the species stand: first atomic numbers, as ASE has it, then names.
OF_NUMBERS = ("Z", "numbers", "atomic_numbers")
OF_NAMES = ("species", "symbols", "symbol", "elements", "element", "atom_types", "types", "type")

OF_POSITIONS = ("pos", "positions")

#: The columns where the header names none.
PLAIN = (Column("species", "S", 0, 1), Column("pos", "R", 1, 3))

FRAMES_AHEAD, ROWS_AHEAD = 100, 10_000

Array = np.ndarray[Any, Any]


def read_xyz(path: Path, first: int = 0, end: int | None = None) -> Iterator[Atoms]:
    """Read frame after frame; those before ``first`` are only counted.

    Raises
    ------
    DataError
        Naming the frame, and the line where one is at fault.
    """
    labels = Labels()
    texts = itertools.islice(xyz_frames(path), first, end)

    for number, text in enumerate(_ahead(texts), start=first):
        yield _frame(text, Place(str(path), number), labels)


def _ahead(texts: Iterator[XyzFrame]) -> Iterator[XyzFrame]:
    """Yield frames read some at a time, so that damage to the file is found before frames are judged."""
    while taken := list(_some(texts)):
        yield from taken


def _some(texts: Iterator[XyzFrame]) -> Iterator[XyzFrame]:
    rows = 0

    for text in itertools.islice(texts, FRAMES_AHEAD):
        yield text
        rows += len(text.rows)
        if rows > ROWS_AHEAD:
            return


def survey_xyz(path: Path) -> Iterator[tuple[int, dict[int, str]]]:
    """Return the particles of each frame and its species by number, without reading the other columns."""
    labels = Labels()

    for number, text in enumerate(xyz_frames(path)):
        place = Place(str(path), number)
        column = _species_column(_columns(columns_in(text.header, place), text), place)
        fields = [line.split(None, column.first + 1)[column.first :] for line in text.rows]

        if not all(fields):  # then reading the frame says what is wrong with it
            _frame(text, place, labels)
        names = _names(column, [found[0] for found in fields], _rows(text, place))
        there = sorted(set(names))
        yield len(names), dict(zip(labels.numbers(there, place).tolist(), there, strict=True))


def counts_in_xyz(path: Path) -> Iterator[int]:
    """Return the particles of each frame, without looking at them."""
    return (len(text.rows) for text in xyz_frames(path))


def _frame(text: XyzFrame, place: Place, labels: Labels) -> Atoms:
    header = parse(text.header, place)
    columns = _columns(header.columns, text)
    species, positions = _species_column(columns, place), _positions_column(columns, place)
    arrays = _arrays(columns, species, _rows(text, place))

    names = _names(species, arrays.pop(species.name).tolist(), _rows(text, place))
    frame = Atoms(
        labels.numbers(names, place),
        positions=arrays.pop(positions.name),
        cell=header.cell,
        pbc=header.pbc,
        info=header.info,
    )
    remember(frame, labels.unusual(names))
    keep(frame, arrays, place)
    return frame


def _rows(text: XyzFrame, place: Place) -> Rows:
    return Rows(text.rows, text.line, place, "the header")


def _columns(named: Sequence[Column] | None, text: XyzFrame) -> Sequence[Column]:
    """Return the columns that the header names; else those of plain XYZ, and numbered ones behind them."""
    if named is not None:
        return named

    more = range(4, len(text.rows[0].split()))
    return [*PLAIN, *(Column(f"column_{place + 1}", "?", place, 1) for place in more)]


def _species_column(columns: Sequence[Column], place: Place) -> Column:
    return _one_of((*OF_NUMBERS, *OF_NAMES), 1, columns, place, "species:S:1")


def _positions_column(columns: Sequence[Column], place: Place) -> Column:
    return _one_of(OF_POSITIONS, 3, columns, place, "pos:R:3")


def _one_of(
    names: Sequence[str], count: int, columns: Sequence[Column], place: Place, example: str
) -> Column:
    """Return the column of the first of some names."""
    there = {column.name: column for column in columns}
    found = next((there[name] for name in names if name in there), None)

    if found is None or found.count != count:
        columns_there = ", ".join(f"{column.name}:{column.kind}:{column.count}" for column in columns)
        came = f"no {example} is among {columns_there[:200]}"
        remedy = f"name it {example} in the header's Properties"
        raise place.error("Properties", came, f"one of the names {', '.join(names)}", remedy)
    return found


def _names(column: Column, values: Sequence[Any], rows: Rows) -> list[str]:
    """Return the names of species from their column."""
    if column.name not in OF_NUMBERS:
        return [str(value) for value in values]

    try:
        return [usual_name(int(value)) for value in values]
    except ValueError:
        raise rows.place.error(
            f"column {column.name}", "it does not hold whole numbers", "atomic numbers", "correct the header"
        ) from None


def _arrays(columns: Sequence[Column], species: Column, rows: Rows) -> dict[str, Array]:
    """Return the arrays of a frame by name; that of the species as words."""
    groups = [_group(column, "S" if column is species else column.kind) for column in columns]
    return dict(zip((column.name for column in columns), rows.arrays(groups), strict=True))


def _group(column: Column, kind: str) -> Group:
    return Group(column.first, column.count, CONVERSIONS[kind], DTYPES.get(kind))


def _logical(texts: Any) -> Array:
    """Convert T and F to True and False."""
    words = np.array(texts)
    if wrong := set(words.flat).difference(LOGICAL):
        raise ValueError(wrong)
    return np.array([LOGICAL[word] for word in words.flat]).reshape(words.shape)


#: By the types of extended XYZ; a question mark stands where nothing says the type.
CONVERSIONS: dict[str, Callable[[Any], Array]] = {
    "R": real,
    "I": whole,
    "S": np.array,
    "L": _logical,
    "?": guessed,
}

DTYPES = {"R": np.float64, "I": np.int64, "S": object}


FORMAT = Format(read_xyz, endings=(".xyz", ".extxyz"), in_place_of=("extxyz",))
