"""Guess which arrays are orientations and diameters, by name, shape and values."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from anisweep.datasets.canonical import BARE_DIAMETERS, DIAMETERS
from anisweep.datasets.user_files.columns import LENGTHS, Columns, families
from anisweep.datasets.user_files.conventions import length_by_convention
from anisweep.datasets.user_files.orientations import ENDINGS, LARGEST_COMPONENT

Array = np.ndarray[Any, Any]

#: Names that are taken for quaternions first, whatever their norm.
QUATERNIONS = ("c_q", "quaternion", "quaternions")

#: Stems that programs use for quaternions.
NAMED_ORIENTATIONS = re.compile(r"([cfv]_)?(q|quat|quaternions?|orient|orientations?)", re.IGNORECASE)

#: Stems that programs use for lengths of particles.
NAMED_LENGTHS = re.compile(
    r"d|.*diam.*|([cfv]_)?shape|aspherical[-_ ]?shape|.*(semi[-_ ]?ax[ei]s|radi(us|i)).*", re.IGNORECASE
)

#: Three positive numbers of these names are places or moments of inertia, not lengths.
NO_LENGTHS = re.compile(r"pos.*|[xyzuvw]|[xyz][su]|moments?([-_]of)?([-_]inertia)?", re.IGNORECASE)


@dataclass(frozen=True)
class Guess:
    """Hold arrays that may be orientations or lengths, with the reason for the guess.

    Attributes
    ----------
    columns : the arrays
    values : what they hold, side by side
    reason : why they may be it
    likely : whether a first study takes them
    """

    columns: Columns
    values: Array
    reason: str
    likely: bool = True

    @property
    def is_quaternions(self) -> bool:
        """Return True if these are four numbers a particle."""
        return bool(self.values.shape[1:] == (4,))


def orientation_guesses(arrays: Mapping[str, Array]) -> list[Guess]:
    """Return what could be orientations, the likeliest first."""
    found = [_orientation(columns, _values(columns, arrays)) for columns in _candidates(arrays, ENDINGS)]
    return sorted((guess for guess in found if guess), key=_rank_of_orientation)


def diameter_guesses(arrays: Mapping[str, Array]) -> list[Guess]:
    """Return what could be diameters or semi-axes, the likeliest first."""
    found = [_length(columns, _values(columns, arrays)) for columns in _candidates(arrays, LENGTHS)]
    return sorted((guess for guess in found if guess), key=_rank_of_length)


def identities(values: Array, order: str) -> int:
    """Return how many quaternions are exactly the identity, in an order of their components."""
    identity = np.array([float(letter == "w") for letter in order])
    return int((values == identity).all(axis=1).sum())


def _candidates(arrays: Mapping[str, Array], endings: tuple[str, ...]) -> Iterator[Columns]:
    """Yield arrays of several columns, and sets of those that have one."""
    numeric = {name: values for name, values in arrays.items() if values.dtype.kind in "fiu"}
    yield from (Columns(name, (name,)) for name, values in numeric.items() if values.ndim > 1)
    yield from families((name for name, values in numeric.items() if values.ndim == 1), endings)


def _values(columns: Columns, arrays: Mapping[str, Array]) -> Array:
    parts = [arrays[name] for name in columns.names]
    return parts[0] if len(parts) == 1 else np.column_stack(parts)


def _orientation(columns: Columns, values: Array) -> Guess | None:
    if values.shape[1:] not in ((4,), (9,), (3, 3)):
        return None
    if values.shape[1:] == (4,) and _is_named(columns):
        return Guess(columns, values, "its name")
    return Guess(columns, values, _turns(values)) if _turns(values) else None


def _is_named(columns: Columns) -> bool:
    return bool(columns.letters or NAMED_ORIENTATIONS.fullmatch(columns.stem))


def _turns(values: Array) -> str:
    """Return why some numbers may be orientations, if all may; else ""."""
    if not (np.abs(values) < LARGEST_COMPONENT).all():
        return ""
    if values.shape[1:] == (4,):
        unit = np.allclose(np.linalg.norm(values, axis=1), 1.0, atol=1e-3)
        return "four numbers a particle of norm 1" if unit else ""

    matrices = values.reshape(-1, 3, 3).astype(float)
    square = np.allclose(matrices @ matrices.transpose(0, 2, 1), np.eye(3), atol=1e-3)
    return "orthonormal matrices" if square else ""


def _rank_of_orientation(guess: Guess) -> tuple[int, int, str]:
    """Return the key for sorting: known names first, then usual ones, then mere values."""
    stem = guess.columns.stem
    known = QUATERNIONS.index(stem) if stem in QUATERNIONS else len(QUATERNIONS)
    return known, 1 - _is_named(guess.columns), stem


def _length(columns: Columns, values: Array) -> Guess | None:
    if values.shape[1:] != (3,):
        return None

    positive = bool((values > 0).all())
    if NAMED_LENGTHS.fullmatch(columns.stem):
        return Guess(
            columns, values, "its name" if positive else "its name, but not all are positive", positive
        )
    if positive and not NO_LENGTHS.fullmatch(columns.stem):
        return Guess(columns, values, "three positive numbers a particle", likely=False)
    return None


def _rank_of_length(guess: Guess) -> tuple[int, int, int, str]:
    """Return the key for sorting: AniSOAP's own names first, then usual ones, then mere values."""
    own = guess.columns.names in (DIAMETERS, BARE_DIAMETERS)
    said = bool(length_by_convention(guess.columns.stem).whose)
    return 1 - own, 1 - guess.likely, 1 - said, guess.columns.stem
