"""Read the first frames of a data set, which stand for all of it where a plan must answer at once."""

from __future__ import annotations

from functools import lru_cache
from itertools import islice
from pathlib import Path

from ase import Atoms

from anisweep import datasets
from anisweep.cell import Dataset

#: So many frames of a file are looked at; of a generated data set fewer, whose frames are much alike.
LOOKED_AT = 8
LOOKED_AT_GENERATED = 3


def first_frames(dataset: Dataset, root: Path) -> list[Atoms]:
    """Return the first frames of a data set, which need not have been prepared yet; leave them as they are.

    Parameters
    ----------
    root : of the project, for the files of data sets
    """
    return list(_first_frames(dataset.name, (root / dataset.path).resolve()))


@lru_cache(maxsize=64)
def _first_frames(name: str, path: Path) -> tuple[Atoms, ...]:
    """Read them once: a plan asks for pairs, for images and for species, and the path holds a digest."""
    count = LOOKED_AT_GENERATED if name in datasets.generated() else LOOKED_AT
    return tuple(islice(datasets.canonical_frames(name, path), count))
