"""Convert rows of text to columns of numbers and words."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from anisweep.datasets.errors import DataError, Place
from anisweep.formatting import counted

#: Rows that are divided at a time: pieces of text take ten times the memory of their numbers.
AT_A_TIME = 20_000

#: From so many rows on NumPy's own reader of text is faster, which takes a while to start.
MANY = 500

Array = np.ndarray[Any, Any]
Texts = tuple[str, ...]


@dataclass(frozen=True)
class Group:
    """Define neighbouring columns that become one array.

    Attributes
    ----------
    first : the first of them, counted from 0
    count : how many there are
    convert : makes an array of the texts of one column, or of several; its ValueError becomes a DataError
    dtype : the type of the array where NumPy's reader of text makes the same of it
    """

    first: int
    count: int
    convert: Callable[[Any], Array]
    dtype: Any = None

    def array(self, columns: Sequence[Texts]) -> Array:
        """Return the group's array, from all columns of some rows."""
        if self.count == 1:
            return self.convert(columns[self.first])
        return np.ascontiguousarray(self.convert(columns[self.first : self.first + self.count]).T)


@dataclass(frozen=True)
class Rows:
    """Hold rows of a file, one a particle.

    Attributes
    ----------
    lines : with blanks between the values
    first : number of the first line in the file, from 1
    names : what says how many values a row has, for messages
    """

    lines: Sequence[str]
    first: int
    place: Place
    names: str

    def arrays(self, groups: Sequence[Group]) -> list[Array]:
        """Return the array of each group; together they are all columns.

        Raises
        ------
        DataError
            Naming the line that has another number of values, or the value that cannot be converted.
        """
        if len(self.lines) > MANY and (loaded := self._loaded(groups)):
            return loaded

        width = groups[-1].first + groups[-1].count
        parts = [
            [self._array(group, columns, start) for group in groups] for start, columns in self._pieces(width)
        ]
        if len(parts) == 1:
            return parts[0]
        return [self._joined(*each) for each in zip(groups, zip(*parts, strict=True), strict=True)]

    def _loaded(self, groups: Sequence[Group]) -> list[Array] | None:
        """Convert many rows in half the time; None where anything about them is not plain."""
        if not all(group.dtype for group in groups):
            return None

        fields = [(f"f{place}", group.dtype, (group.count,)) for place, group in enumerate(groups)]
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("error")
                table = np.loadtxt(self.lines, dtype=fields, comments=None, ndmin=1)
        except (ValueError, OverflowError, Warning):
            return None

        if len(table) != len(self.lines):
            return None
        return [self._field(table[f"f{place}"], group) for place, group in enumerate(groups)]

    @staticmethod
    def _field(values: Array, group: Group) -> Array:
        array = values[:, 0] if group.count == 1 else values
        return array.astype(str) if group.dtype is object else np.ascontiguousarray(array)

    def error(self, row: int, came: str, allowed: str, remedy: str) -> DataError:
        """Return the error about a row, counted from 0."""
        where = f"{self.place.file}, frame {self.place.frame}, line {self.first + row}"
        return DataError(where, came, allowed, remedy)

    def _pieces(self, width: int) -> Iterator[tuple[int, list[Texts]]]:
        """Yield some rows at a time: the number of their first one, and their columns."""
        for start in range(0, len(self.lines), AT_A_TIME):
            rows = [line.split() for line in self.lines[start : start + AT_A_TIME]]
            if set(map(len, rows)) != {width}:
                raise self._uneven(rows, start, width)
            yield start, list(zip(*rows, strict=True))

    def _uneven(self, rows: list[list[str]], start: int, width: int) -> DataError:
        row = next(row for row, values in enumerate(rows) if len(values) != width)
        came = f"{counted(len(rows[row]), 'value stands', 'values stand')} where {self.names} says {width}"
        remedy = "correct the frame, or remove it"
        return self.error(start + row, came, f"{counted(width, 'value')} a particle", remedy)

    def _array(self, group: Group, columns: list[Texts], start: int) -> Array:
        try:
            return group.array(columns)
        except (ValueError, OverflowError):
            for column in range(group.first, group.first + group.count):
                for row, text in enumerate(columns[column]):
                    if not _converts(group, text):
                        raise self._wrong(start + row, column, text) from None
            raise

    def _wrong(self, row: int, column: int, text: str) -> DataError:
        came = f"{text[:40]!r} stands in column {column + 1}"
        return self.error(row, came, f"what {self.names} says of this column", "correct the value")

    def _joined(self, group: Group, pieces: tuple[Array, ...]) -> Array:
        """Join the pieces of an array; one with a word among its numbers is all words."""
        kinds = {piece.dtype.kind for piece in pieces}
        if "U" in kinds and len(kinds) > 1:
            return np.array([line.split()[group.first] for line in self.lines])
        return np.concatenate(pieces)


def _converts(group: Group, text: str) -> bool:
    try:
        group.convert((text,))
    except (ValueError, OverflowError):
        return False
    return True


def real(texts: Any) -> Array:
    """Return real numbers."""
    return np.array(texts, dtype=np.float64)


def whole(texts: Any) -> Array:
    """Return whole numbers."""
    return np.array(texts, dtype=np.int64)


def whole_or_words(texts: Texts) -> Array:
    """Return whole numbers if all are, else words."""
    try:
        return whole(texts)
    except (ValueError, OverflowError):
        return np.array(texts)


def guessed(texts: Texts) -> Array:
    """Return whole numbers, else real ones, else words."""
    try:
        return whole(texts)
    except (ValueError, OverflowError):
        return real_or_words(texts)


def real_or_words(texts: Texts) -> Array:
    """Return real numbers if all are, else words."""
    try:
        return real(texts)
    except ValueError:
        return np.array(texts)
