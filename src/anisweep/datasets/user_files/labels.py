"""Give each species name of a file a number of its own."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from anisweep.datasets.errors import Place
from anisweep.datasets.species import add_name, number_of, usual_name


class Labels:
    """Number the names of species, as a file's frames come."""

    def __init__(self) -> None:
        self._numbers: dict[str, int] = {}
        self._names: dict[int, str] = {}

    def numbers(self, names: Sequence[str], place: Place) -> np.ndarray[Any, Any]:
        """Return the number of each name.

        Raises
        ------
        DataError
            For a name that cannot be one, and for two names that would be taken for one species.
        """
        for name in set(names).difference(self._numbers):
            self._learn(name, place)
        return np.array([self._numbers[name] for name in names], dtype=np.int64)

    def unusual(self, names: Iterable[str]) -> set[str]:
        """Return those of some known names that their numbers alone do not give."""
        return {name for name in set(names) if usual_name(self._numbers[name]) != name}

    def _learn(self, name: str, place: Place) -> None:
        try:
            number = number_of(name)
        except ValueError as error:
            allowed = "elements, whole numbers from 1, or names"
            raise place.error("species", str(error), allowed, "correct the frame, or remove it") from error

        try:
            add_name(self._names, number, name)
        except ValueError as error:
            allowed, remedy = "one name for each species", "rename one of them"
            raise place.error("species", str(error), allowed, remedy) from error
        self._numbers[name] = number
