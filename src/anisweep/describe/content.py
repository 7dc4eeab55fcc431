"""Define what an output file holds: the features, their labels and their provenance."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain

import numpy as np


@dataclass(frozen=True)
class Features:
    """Hold the features with their labels; the numbers come piece by piece.

    Attributes
    ----------
    provenance : JSON: what was computed, from which file, by which code
    columns : (columns,) l, m, species and n of the first and of the second channel
    neighbours : numbers of the species of the neighbours, sorted; all particles are neighbours
    names : (neighbours,) names of these species in the file
    frame : (rows,) frame of each row, counted from 0 in the input
    centre : (rows,) particle in its frame, or -1 where the row is a frame's mean
    species : (rows,) of the centre, or -1
    values : gives the rows, float64, a few at a time and from the first each time it is called
    """

    provenance: str
    columns: np.ndarray
    neighbours: np.ndarray
    names: np.ndarray
    frame: np.ndarray
    centre: np.ndarray
    species: np.ndarray
    values: Callable[[], Iterator[np.ndarray]]

    @property
    def shape(self) -> tuple[int, int]:
        """Return the number of rows and of columns."""
        return len(self.frame), len(self.columns)


def joined(several: Sequence[Features], provenance: str) -> Features:
    """Join the rows of several sets of features that have the same columns."""
    rows = {
        name: np.concatenate([getattr(each, name) for each in several])
        for name in ("frame", "centre", "species")
    }
    return Features(
        provenance,
        several[0].columns,
        several[0].neighbours,
        several[0].names,
        **rows,
        values=lambda: chain.from_iterable(each.values() for each in several),
    )
