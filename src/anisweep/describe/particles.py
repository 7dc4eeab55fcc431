"""Read the particles of a file in the form that the descriptors need."""

from __future__ import annotations

import shlex
from collections.abc import Iterator

import numpy as np
from ase import Atoms

from anisweep.datasets import DIAMETERS
from anisweep.datasets.errors import DataError, Place
from anisweep.datasets.user_files import formats
from anisweep.datasets.user_files.arrays import (
    OWN_OF_ASE,
    columns_of,
    missing_arrays,
    names_there,
    values_of,
)
from anisweep.datasets.user_files.conventions import WRITTEN_BY
from anisweep.datasets.user_files.diameters import check_diameters, diameters_of
from anisweep.datasets.user_files.frame_checks import check_frame
from anisweep.datasets.user_files.guesses import orientation_guesses
from anisweep.datasets.user_files.orientations import ENDINGS, Orientations, component_order, quaternions_of
from anisweep.datasets.user_files.userfile import read_any
from anisweep.describe.request import Request

#: Given in place of an array's name: no particle is turned.
IDENTITY = "identity"


def taken_for_granted(request: Request) -> str:
    """Return what the reader assumes because the format cannot say it; empty for nothing."""
    try:
        return formats.taken_for_granted(request.file, request.file_format)
    except DataError:
        return ""  # describing the file says what is wrong


def order_to_check(request: Request) -> str:
    """Return in words the order in which quaternions are read, where it is a guess; else ""."""
    given = request.orientations
    if given is None or given == IDENTITY or request.orientation_order:
        return ""

    try:
        frame = next(read_any(request.file, file_format=request.file_format))
        place = Place(str(request.file), 0)
        columns = columns_of(frame, given, ENDINGS, place)
        values = values_of(frame, columns, place)
    except DataError:
        return ""  # describing the file says what is wrong

    order = component_order(columns, frame.info.get(WRITTEN_BY, ""), None)
    if order.sure or values.shape[1:] != (4,):
        return ""
    return f"{columns.in_words} are read as quaternions {order.in_words}"


def particles(request: Request, first: int, end: int) -> Iterator[Atoms]:
    """Yield the frames from first to end (not included), with orientations ``c_q`` and diameters.

    Raises
    ------
    DataError
        Naming file, frame, array and particle.
    """
    for number, read in enumerate(read_any(request.file, first, end, request.file_format), start=first):
        yield frame_of(request, read, Place(str(request.file), number))


def frame_of(request: Request, read: Atoms, place: Place) -> Atoms:
    """Return a frame as it was read in the form that the descriptors need."""
    orientations = None if request.orientations == IDENTITY else request.orientations
    check_frame(read, place, request.hypers.cutoff_radius)
    if orientations is not None:
        _check_there(read, orientations, place)

    frame = Atoms(read.numbers, positions=read.positions, cell=read.cell, pbc=read.pbc)
    frame.arrays["c_q"] = quaternions_of(read, orientations, place, request.orientation_order)

    diameters = diameters_of(read, request.diameters, place, request.radii)
    check_diameters(read, diameters, place)
    for name, column in zip(DIAMETERS, diameters.T, strict=True):
        frame.arrays[name] = np.ascontiguousarray(column)
    return frame


def _check_there(frame: Atoms, given: Orientations, place: Place) -> None:
    """Refuse orientations that a frame does not have, and name what could be meant."""
    missing = missing_arrays(frame, columns_of(frame, given or IDENTITY, ENDINGS, place))
    if missing:
        raise place.error(
            f"array {missing[0]}", "it is missing", names_there(frame), _other_orientations(frame)
        )


def _other_orientations(frame: Atoms) -> str:
    guesses = orientation_guesses(
        {name: frame.arrays[name] for name in frame.arrays if name not in OWN_OF_ASE}
    )
    none = f"--orientations {IDENTITY}, where no particle is turned"
    if not guesses:
        return f"{none}; or --orientations with the name of another array"

    likeliest = shlex.quote(guesses[0].columns.in_words)
    return f"{none}; or --orientations {likeliest}, which looks like orientations"
