"""Features with all that belongs to them; the numbers themselves come piece by piece."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain

import numpy as np


@dataclass(frozen=True)
class Features:
    """What an output file holds, before or after it is written.

    Attributes
    ----------
    provenance : JSON: what was computed, from which file, by which code
    columns : (columns,) l, m, species and n of the first and of the second channel
    neighbours : species of the neighbours, sorted
    frame : (rows,) frame of each row, counted from 0 in the input
    centre : (rows,) particle in its frame, or -1 where the row is a frame's mean
    species : (rows,) of the centre, or -1
    values : gives the rows, float64, a few at a time and from the first each time it is called
    """

    provenance: str
    columns: np.ndarray
    neighbours: np.ndarray
    frame: np.ndarray
    centre: np.ndarray
    species: np.ndarray
    values: Callable[[], Iterator[np.ndarray]]

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns of the values."""
        return len(self.frame), len(self.columns)


def joined(several: Sequence[Features], provenance: str) -> Features:
    """The rows of several, which have the same columns, one after another."""
    rows = {
        name: np.concatenate([getattr(each, name) for each in several])
        for name in ("frame", "centre", "species")
    }
    return Features(
        provenance,
        several[0].columns,
        several[0].neighbours,
        **rows,
        values=lambda: chain.from_iterable(each.values() for each in several),
    )
