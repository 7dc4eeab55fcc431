"""The particles of a file as the descriptors take them."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from ase import Atoms

from anisweep.datasets import DIAMETERS
from anisweep.datasets.diameters import diameters_of
from anisweep.datasets.errors import Place
from anisweep.datasets.orientations import quaternions_of
from anisweep.datasets.userfile import read_any
from anisweep.features.request import Request

#: Given in place of an array's name: no particle is turned.
IDENTITY = "identity"


def particles(request: Request, first: int, end: int) -> Iterator[Atoms]:
    """The frames from first to end (without it), with orientations ``c_q`` and diameters.

    Positions and cells stay as they are: the descriptors themselves refuse what they cannot use.

    Raises
    ------
    DataError
        Naming file, frame, array and particle.
    """
    orientations = None if request.orientations == IDENTITY else request.orientations

    for number, read in enumerate(read_any(request.file, first, end), start=first):
        place = Place(str(request.file), number)
        frame = Atoms(read.numbers, positions=read.positions, cell=read.cell, pbc=read.pbc)
        frame.arrays["c_q"] = quaternions_of(read, orientations, place)

        diameters = diameters_of(read, request.diameters, place)
        for name, column in zip(DIAMETERS, diameters.T, strict=True):
            frame.arrays[name] = np.ascontiguousarray(column)
        yield frame
