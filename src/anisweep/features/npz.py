"""Features as an .npz file, which ``numpy.load`` reads; it is written and read without holding all values."""

from __future__ import annotations

import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

import numpy as np

from anisweep.datasets import DataError
from anisweep.features.features import Features

LABELS = ("columns", "neighbours", "frame", "centre", "species")

#: What reading raises when a file is not what it should be.
UNREADABLE = (OSError, ValueError, TypeError, KeyError, EOFError, zipfile.BadZipFile)

#: Bytes of values that are read at a time.
AT_A_TIME = 2**24


def write(features: Features, stream: IO[bytes]) -> None:
    """Write the file. Its bytes depend on the features and on nothing else."""
    with zipfile.ZipFile(stream, "w") as zipped:
        write_array(zipped, "provenance", np.array(features.provenance))
        for name in LABELS:
            write_array(zipped, name, getattr(features, name))
        write_pieces(zipped, "values", features.shape, features.values())


def write_array(zipped: zipfile.ZipFile, name: str, array: np.ndarray) -> None:
    """A member that holds an array."""
    with zipped.open(_member(name), "w") as stream:
        np.lib.format.write_array(stream, array, version=(1, 0), allow_pickle=False)


def write_pieces(
    zipped: zipfile.ZipFile, name: str, shape: tuple[int, ...], pieces: Iterator[np.ndarray]
) -> None:
    """A member that holds float64 of this shape, of which the pieces are runs of rows."""
    header = {"descr": "<f8", "fortran_order": False, "shape": shape}

    with zipped.open(_member(name), "w", force_zip64=True) as stream:
        np.lib.format.write_array_header_1_0(stream, header)
        for piece in pieces:
            stream.write(np.ascontiguousarray(piece, dtype="<f8").data.cast("B") if piece.size else b"")


def _member(name: str) -> zipfile.ZipInfo:
    """Without the time of day, which would make each file another one."""
    return zipfile.ZipInfo(f"{name}.npy")


def read(path: Path) -> Features:
    """A file that `write` made; the values stay there until they are asked for.

    Raises
    ------
    DataError
        When it is no such file, or damaged.
    """
    try:
        with np.load(path, allow_pickle=False) as there:
            labels = {name: there[name] for name in LABELS}
            provenance = str(there["provenance"])
    except UNREADABLE as error:
        raise _damaged(path, error) from error

    return Features(provenance, **labels, values=lambda: _values(path, len(labels["columns"])))


def provenance_of(path: Path) -> str:
    """The provenance in an output file of either format.

    Raises
    ------
    DataError
        When it holds none.
    """
    try:
        with np.load(path, allow_pickle=False) as there:
            return str(there["provenance"])
    except UNREADABLE as error:
        raise _damaged(path, error) from error


def _values(path: Path, columns: int) -> Iterator[np.ndarray]:
    """The rows, some at a time. The checksum is compared at the end."""
    rows = max(1, AT_A_TIME // (8 * columns))

    try:
        with zipfile.ZipFile(path) as zipped, zipped.open("values.npy") as stream:
            np.lib.format.read_magic(stream)
            np.lib.format.read_array_header_1_0(stream)
            while content := stream.read(8 * columns * rows):
                yield np.frombuffer(content, dtype="<f8").reshape(-1, columns)
    except UNREADABLE as error:
        raise _damaged(path, error) from error


def _damaged(path: Path, error: Any) -> DataError:
    came = getattr(error, "strerror", None)
    if not came:
        with path.open("rb") as stream:
            zipped = stream.read(2) == b"PK"
        came = f"it cannot be read ({error})" if zipped else "it is no file of features"

    return DataError(str(path), came, "a file of `anisweep describe`", "name another file, or make it anew")
