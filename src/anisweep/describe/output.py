"""Choose the format of an output file, and write it so that it appears complete or not at all."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import IO

from anisweep.datasets import DataError
from anisweep.describe import format_mts, format_npz
from anisweep.describe.content import Features
from anisweep.files import other_than_a_file, whole

Writer = Callable[[Features, IO[bytes]], None]

FORMATS: dict[str, Writer] = {".npz": format_npz.write, ".mts": format_mts.write}


def writer(path: Path) -> Writer:
    """Return the function that writes a file of this name.

    Raises
    ------
    DataError
        When no format ends so, or there is no folder for it.
    """
    if path.suffix not in FORMATS:
        allowed = ".npz for numpy.load, or .mts for metatensor.load"
        raise DataError(str(path), f"its name ends in {path.suffix!r}", allowed, "choose another name")

    if not path.parent.is_dir():
        came = f"there is no folder {path.parent}"
        raise DataError(str(path), came, "a folder that exists", f"mkdir -p {path.parent}")

    what = other_than_a_file(path)
    if what:
        remedy = "choose another name, or move away what is there"
        raise DataError(str(path), f"there is {what} of this name", "a new name", remedy)
    return FORMATS[path.suffix]


def new_file(path: Path) -> AbstractContextManager[IO[bytes]]:
    """Open a file that appears whole or not at all; a second run goes over what a killed one has left."""
    return whole(path, mark="unfinished")
