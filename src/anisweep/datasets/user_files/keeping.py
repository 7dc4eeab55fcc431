"""Store the columns of a file as arrays of a frame."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from ase import Atoms

from anisweep.datasets.errors import Place


def keep(frame: Atoms, arrays: Mapping[str, np.ndarray[Any, Any]], place: Place) -> None:
    """Give a frame more arrays.

    Raises
    ------
    DataError
        When one would replace an array that every frame has.
    """
    for name, values in arrays.items():
        if name in frame.arrays:
            allowed = "a name that no array of every frame has"
            raise place.error(f"column {name}", "its name is taken", allowed, "rename the column")
        frame.arrays[name] = values
