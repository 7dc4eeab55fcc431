"""Parse the header of an XYZ frame (its second line): the columns, the cell, and other values.

Everything that reads XYZ asks this module, so that no two parts of the project see different columns.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from itertools import accumulate
from typing import Any

import numpy as np

from anisweep.datasets.errors import Place
from anisweep.datasets.species import NAMES
from anisweep.datasets.user_files.conventions import WRITTEN_BY

#: What decides how a frame is read; no header says it twice.
DECISIVE = ("properties", "lattice", "pbc")

#: What frames keep for themselves in ``Atoms.info``: no header can say it.
RESERVED = (NAMES, WRITTEN_BY)

LOGICAL = dict.fromkeys(("T", "True", "TRUE", "true", "1"), True)
LOGICAL |= dict.fromkeys(("F", "False", "FALSE", "false", "0"), False)

#: An array's columns: digits that cannot be a mistake for a number of particles.
COUNT = re.compile(r"0{0,9}[1-9][0-9]{0,8}")

ALLOWED = "NAME:TYPE:COLUMNS for each array, with R, I, S or L for the type and at least one column"

QUOTED = r'"(?:[^"\\]|\\.)*"'
APOSTROPHES = r"'(?:[^'\\]|\\.)*'"
BRACKETS = r"\[[^][]*\]|\{[^{}]*\}"

#: A key, with its value if it has one. A quote that is never closed is text, as is an apostrophe in a word.
PAIR = re.compile(
    rf"""
    (?P<key> {APOSTROPHES} | (?: [^\s="\[{{\\]+ | {QUOTED} | {BRACKETS} | \\. | [^\s=] )+ )
    (?: \s*=\s* (?P<value> {APOSTROPHES} | (?: [^\s"\[{{\\]+ | {QUOTED} | {BRACKETS} | \\. | \S )+ ) )?
    """,
    re.VERBOSE | re.DOTALL,
)

#: Parts of a key or value that are quoted or escaped.
MARKED = re.compile(rf"{QUOTED}|\\.", re.DOTALL)
ESCAPED = re.compile(r"\\(.)", re.DOTALL)

#: What may stand around a whole key or value.
AROUND = ('""', "''", "[]", "{}")

#: How numbers begin.
NUMBER = tuple("+-.0123456789nNiI")


@dataclass(frozen=True)
class Column:
    """Describe the columns of an array of a frame.

    Attributes
    ----------
    kind : R (real), I (integer), S (text) or L (logical)
    first : where it begins among the columns of the file
    count : how many of those it takes
    """

    name: str
    kind: str
    first: int
    count: int


@dataclass(frozen=True)
class Header:
    """Hold what a header says.

    Attributes
    ----------
    columns : None where it names none: then they are species, x, y and z
    cell : (3, 3), vectors in rows; None where there is none
    info : everything else
    """

    columns: tuple[Column, ...] | None
    cell: np.ndarray[Any, Any] | None
    pbc: tuple[bool, ...]
    info: dict[str, Any]


def parse(line: str, place: Place) -> Header:
    """Parse a header.

    Raises
    ------
    DataError
        When it says something that cannot be meant.
    """
    decisive, others = _divided(line, place)
    cell = decisive.get("lattice")

    return Header(
        columns=_columns(decisive, place),
        cell=None if cell is None else _cell(cell, place),
        pbc=_pbc(decisive.get("pbc", "F" if cell is None else "T"), place),
        info={key: True if value is None else _value(_bare(value)) for key, value in others.items()},
    )


def columns_in(line: str, place: Place) -> tuple[Column, ...] | None:
    """Return the columns that a header names, as `parse` does, and do not read the rest."""
    return _columns(_divided(line, place)[0], place)


def _divided(line: str, place: Place) -> tuple[dict[str, str], dict[str, str | None]]:
    """Divide a header into what decides how the frame is read, and everything else."""
    decisive: dict[str, str] = {}
    others: dict[str, str | None] = {}

    for key, value in PAIR.findall(line):
        name = _bare(key)
        if value and name.lower() in DECISIVE:
            _decide(decisive, name.lower(), _bare(value), place)
        elif name not in RESERVED:
            others[name] = value or None
    return decisive, others


def _bare(text: str) -> str:
    """Remove the quotes or brackets around a text, and what escapes characters in it."""
    if "\\" not in text:
        if text[0] + text[-1] in AROUND and len(text) > 1:
            text = text[1:-1]
        return text.replace('"', "") if text.count('"') % 2 == 0 else text

    if text[0] == "'" == text[-1]:
        return ESCAPED.sub(r"\1", text[1:-1])
    return MARKED.sub(_unmarked, text)


def _unmarked(found: re.Match[str]) -> str:
    text = found[0]
    return ESCAPED.sub(r"\1", text[1:-1] if text[0] == '"' else text)


def _decide(decisive: dict[str, str], key: str, value: str, place: Place) -> None:
    if decisive.setdefault(key, value) != value:
        raise place.error("header", f"{key} is there twice", "one of each", "remove the wrong one")


def _columns(decisive: Mapping[str, str], place: Place) -> tuple[Column, ...] | None:
    properties = decisive.get("properties")
    if properties is None:
        return None

    try:
        return _columns_of(properties)
    except ValueError as error:
        came = f"{error} in {properties[:200]!r}"
        raise place.error("Properties", came, ALLOWED, "correct the header") from None


@lru_cache(maxsize=64)
def _columns_of(properties: str) -> tuple[Column, ...]:
    fields = properties.split(":")
    names, kinds, counts = fields[::3], fields[1::3], fields[2::3]

    if len(fields) % 3 or not all(names):
        raise ValueError("a name, a type or a number is missing")
    if wrong := [kind for kind in kinds if kind not in ("R", "I", "S", "L")]:
        raise ValueError(f"{wrong[0]!r} stands for a type")
    if wrong := [count for count in counts if not COUNT.fullmatch(count)]:
        raise ValueError(f"{wrong[0]!r} stands for a number of columns")
    if twice := [name for name in names if names.count(name) > 1]:
        raise ValueError(f"{twice[0]!r} is there twice")

    sizes = [int(count) for count in counts]
    starts = accumulate(sizes, initial=0)
    return tuple(Column(*each) for each in zip(names, kinds, starts, sizes, strict=False))


def _cell(text: str, place: Place) -> np.ndarray[Any, Any]:
    try:
        return np.array(_words(text), dtype=float).reshape(3, 3)
    except ValueError:
        remedy = 'write the three vectors one after the other: Lattice="5 0 0 0 5 0 0 0 5"'
        raise place.error("Lattice", f"{text[:200]!r} came", "nine numbers", remedy) from None


def _pbc(text: str, place: Place) -> tuple[bool, ...]:
    words = _words(text)

    if len(words) not in (1, 3) or not all(word in LOGICAL for word in words):
        raise place.error("pbc", f"{text[:60]!r} came", "T or F for each cell vector", 'write pbc="T T F"')
    return tuple(LOGICAL[word] for word in words * (3 // len(words)))


def _value(text: str) -> Any:
    """Return numbers and logicals as such, alone or in a list, and anything else as text."""
    words = _words(text)
    if not words:
        return text

    for kind in (np.int64, np.float64) if words[0].startswith(NUMBER) else ():
        try:
            numbers = np.array(words, dtype=kind)
        except (ValueError, OverflowError):
            continue
        return numbers if len(words) > 1 else numbers[0]

    if all(word in LOGICAL for word in words):
        return [LOGICAL[word] for word in words] if len(words) > 1 else LOGICAL[words[0]]
    return text


def _words(text: str) -> list[str]:
    return text.replace(",", " ").split()
