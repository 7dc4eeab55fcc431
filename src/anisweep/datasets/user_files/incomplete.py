"""Find arrays that only some frames have, and orientations and diameters that are then incomplete."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from ase import Atoms

from anisweep.datasets.user_files.arrays import OWN_OF_ASE
from anisweep.datasets.user_files.columns import (
    LENGTHS,
    QUATERNION_LETTERS,
    QUATERNION_NUMBERS,
    by_component,
)
from anisweep.datasets.user_files.guesses import (
    NAMED_LENGTHS,
    NAMED_ORIENTATIONS,
    diameter_guesses,
    orientation_guesses,
)
from anisweep.formatting import counted

Array = np.ndarray[Any, Any]

#: An array's shape without the particles, or ``None`` where a frame has no such array.
Shape = tuple[int, ...] | None


@dataclass(frozen=True)
class PartialArray:
    """Describe an array that only some frames have, or that has other columns in others.

    Attributes
    ----------
    where : which frames, in words
    """

    name: str
    where: str

    @property
    def in_words(self) -> str:
        """Return for example ``array c_q[4]: only in 4 of 8 frames, not in frame 4``."""
        return f"array {self.name}: {self.where}"


@dataclass(frozen=True)
class Incomplete:
    """Describe what looks like orientations or lengths, and cannot be taken as it is.

    Attributes
    ----------
    kind : what it looks like
    words : what is missing
    """

    kind: Literal["orientations", "diameters"]
    words: str


def partial_arrays(frames: Sequence[Atoms]) -> list[PartialArray]:
    """Return the arrays that not all frames have in the same shape, in the order in which they appear."""
    names = dict.fromkeys(name for frame in frames for name in frame.arrays if name not in OWN_OF_ASE)
    found = []

    for name in names:
        shapes = [_shape(frame, name) for frame in frames]
        if len(set(shapes)) > 1:
            found.append(PartialArray(name, _where(shapes)))
    return found


def incomplete_sets(frames: Sequence[Atoms], partial: Sequence[PartialArray]) -> list[Incomplete]:
    """Return what looks like orientations or lengths in some frames, and is not there in all."""
    words = {array.name: array.in_words for array in partial}
    found: dict[Incomplete, None] = {}

    for arrays in _kinds_of_frames(frames):
        turned = [guess.columns.names for guess in orientation_guesses(arrays)]
        lengths = [guess.columns.names for guess in diameter_guesses(arrays) if guess.likely]

        found |= {Incomplete("orientations", words[name]): None for name in _among(turned, words)}
        found |= {Incomplete("diameters", words[name]): None for name in _among(lengths, words)}
    return list(found)


def sets_without_a_column(names: Iterable[str]) -> list[Incomplete]:
    """Return names that are usual for orientations or lengths, of which one component is not there.

    Parameters
    ----------
    names : of arrays of one column
    """
    found = []
    for stem, members in by_component(names):
        there = ", ".join(members.values())
        if NAMED_ORIENTATIONS.fullmatch(stem) and _lacks_one(
            members, QUATERNION_LETTERS + QUATERNION_NUMBERS
        ):
            words = f"arrays {there}: they look like three columns of quaternions, and the fourth is missing"
            found.append(Incomplete("orientations", words))
        elif NAMED_LENGTHS.fullmatch(stem) and _lacks_one(members, LENGTHS):
            words = f"arrays {there}: they look like two of three lengths, and the third is missing"
            found.append(Incomplete("diameters", words))
    return found


def _shape(frame: Atoms, name: str) -> Shape:
    values = frame.arrays.get(name)
    return None if values is None else values.shape[1:]


def _where(shapes: Sequence[Shape]) -> str:
    """Return in which frames an array is, or in which frames its columns are others."""
    there = [number for number, shape in enumerate(shapes) if shape is not None]

    if len(there) < len(shapes):
        return f"only in {len(there):,} of {counted(len(shapes), 'frame')}, not in frame {shapes.index(None)}"

    other = next(number for number, shape in enumerate(shapes) if shape != shapes[0])
    return f"{_columns(shapes[0])} a particle in frame 0, and {_columns(shapes[other])} in frame {other}"


def _columns(shape: Shape) -> str:
    return " x ".join(map(str, shape or ())) or "1"


def _kinds_of_frames(frames: Sequence[Atoms]) -> list[Mapping[str, Array]]:
    """Return the arrays of the first frame of each kind: frames of one kind have the same arrays."""
    kinds: dict[frozenset[tuple[str, Shape]], Mapping[str, Array]] = {}
    for frame in frames:
        own = {name: values for name, values in frame.arrays.items() if name not in OWN_OF_ASE}
        kinds.setdefault(frozenset((name, values.shape[1:]) for name, values in own.items()), own)
    return list(kinds.values())


def _among(sets: Iterable[tuple[str, ...]], partial: Mapping[str, str]) -> list[str]:
    return [name for names in sets for name in names if name in partial]


def _lacks_one(members: Mapping[str, str], endings: Iterable[str]) -> bool:
    """Return True if these are the components of a whole set but for one."""
    return any(len(ending) - len(members) == 1 and set(members) < set(ending) for ending in endings)
