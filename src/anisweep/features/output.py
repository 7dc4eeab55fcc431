"""Output files: their formats, and how they appear whole or not at all."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from anisweep.artifact import sync_folder
from anisweep.datasets import DataError
from anisweep.features import mts, npz
from anisweep.features.features import Features

Writer = Callable[[Features, IO[bytes]], None]

FORMATS: dict[str, Writer] = {".npz": npz.write, ".mts": mts.write}


def writer(path: Path) -> Writer:
    """What writes a file of this name.

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
    return FORMATS[path.suffix]


@contextmanager
def whole(path: Path) -> Iterator[IO[bytes]]:
    """A file that has its name only when all its bytes are on the disk."""
    temporary = path.with_name(f".{path.name}.unfinished")

    try:
        with temporary.open("wb") as stream:
            yield stream
            stream.flush()
            os.fsync(stream.fileno())
        os.replace(temporary, path)
        sync_folder(path.parent)
    except BaseException as error:
        temporary.unlink(missing_ok=True)
        if isinstance(error, OSError):
            error.filename = error.filename or str(path)  # a full disk does not say where it is
        raise
