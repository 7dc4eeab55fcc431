"""Say which arrays of a file could be orientations or lengths, as what, and why."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from anisweep.datasets.user_files.conventions import Order, length_by_convention
from anisweep.datasets.user_files.guesses import Guess, diameter_guesses, identities, orientation_guesses
from anisweep.datasets.user_files.orientations import ASKED, ComponentOrder, component_order
from anisweep.formatting import counted

Array = np.ndarray[Any, Any]


@dataclass(frozen=True)
class OrientationCandidate:
    """Describe arrays that could be orientations.

    Attributes
    ----------
    names : of the arrays
    order : how quaternions are read; ``None`` for matrices
    reason : why they could be orientations
    doubt : what speaks against the order; empty where nothing does
    """

    names: tuple[str, ...]
    order: ComponentOrder | None
    reason: str
    doubt: str = ""

    @property
    def in_words(self) -> str:
        """Return in words what the arrays are, to stand after their names."""
        if self.order is None:
            return "rotation matrices, row by row"
        return f"quaternions {self.order.in_words}{self.doubt}"


@dataclass(frozen=True)
class DiameterCandidate:
    """Describe arrays that could be diameters or semi-axes.

    Attributes
    ----------
    names : of the arrays
    radii : whether they are semi-axes
    whose : who says so; empty where nobody does
    reason : why they could be lengths
    likely : whether a first study takes them
    """

    names: tuple[str, ...]
    radii: bool
    whose: str
    reason: str
    likely: bool

    @property
    def in_words(self) -> str:
        """Return in words what the arrays are, to stand after their names."""
        what = "semi-axes" if self.radii else "diameters"
        return f"{what} ({self.whose})" if self.whose else f"{what}, or semi-axes (a GUESS: {self.reason})"


def orientation_candidates(
    arrays: Mapping[str, Array], program: str, order: Order | None
) -> tuple[OrientationCandidate, ...]:
    """Return what could be orientations, the likeliest first.

    Parameters
    ----------
    program : that has written the file; empty when it does not say
    order : of the components of quaternions; ``None``: by convention
    """
    return tuple(_orientation(guess, program, order) for guess in orientation_guesses(arrays))


def diameter_candidates(arrays: Mapping[str, Array], radii: bool | None) -> tuple[DiameterCandidate, ...]:
    """Return what could be diameters, or semi-axes if ``radii`` says so, the likeliest first."""
    return tuple(_diameter(guess, radii) for guess in diameter_guesses(arrays))


def _orientation(guess: Guess, program: str, order: Order | None) -> OrientationCandidate:
    names = guess.columns.names
    if not guess.is_quaternions:
        return OrientationCandidate(names, None, guess.reason)

    read = component_order(guess.columns, program, order)
    return OrientationCandidate(names, read, guess.reason, _doubt(guess, read))


def _doubt(guess: Guess, read: ComponentOrder) -> str:
    """Return what particles without a rotation say against an order; empty for nothing."""
    other = "xyzw" if read.components == "wxyz" else "wxyz"
    if guess.columns.letters or identities(guess.values, read.components):
        return ""

    count = identities(guess.values, other)
    if not count:
        return ""
    who = counted(count, "particle has", "particles have")
    return f"; but {who} the identity in the order {', '.join(other)}: look at it"


def _diameter(guess: Guess, radii: bool | None) -> DiameterCandidate:
    names, convention = guess.columns.names, length_by_convention(guess.columns.stem)
    if radii is not None:
        return DiameterCandidate(names, radii, ASKED, guess.reason, guess.likely)
    return DiameterCandidate(names, convention.radii, convention.whose, guess.reason, guess.likely)
