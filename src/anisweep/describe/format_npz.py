"""Write and read features as an .npz file, as ``numpy.load`` reads it, without holding all values."""

from __future__ import annotations

import io
import struct
import tokenize
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

import numpy as np

from anisweep.datasets import DataError
from anisweep.describe.content import Features
from anisweep.descriptors.feature_labels import KIND
from anisweep.files import open_plain

LABELS = ("columns", "neighbours", "names", "frame", "centre", "species")

#: What reading raises when a file is not what it should be.
UNREADABLE = (
    *(OSError, ValueError, TypeError, KeyError, IndexError, AttributeError, EOFError, OverflowError),
    *(MemoryError, RuntimeError, SyntaxError, struct.error, tokenize.TokenError, zipfile.BadZipFile),
)

#: Bytes of values that are read at a time.
AT_A_TIME = 2**24


def write(features: Features, stream: IO[bytes]) -> None:
    """Write features as an .npz file, whose bytes depend on nothing else."""
    with zipfile.ZipFile(stream, "w") as zipped:
        write_array(zipped, "provenance", np.array(features.provenance))
        for name in LABELS:
            write_array(zipped, name, getattr(features, name))
        write_pieces(zipped, "values", features.shape, features.values())


def write_array(zipped: zipfile.ZipFile, name: str, array: np.ndarray) -> None:
    """Write an array as a member of the file."""
    with zipped.open(_member(name), "w") as stream:
        np.lib.format.write_array(stream, array, version=(1, 0), allow_pickle=False)


def write_pieces(
    zipped: zipfile.ZipFile, name: str, shape: tuple[int, ...], pieces: Iterator[np.ndarray]
) -> None:
    """Write a float64 array of the given shape as a member of the file, some rows at a time."""
    header = {"descr": "<f8", "fortran_order": False, "shape": shape}

    with zipped.open(_member(name), "w", force_zip64=True) as stream:
        np.lib.format.write_array_header_1_0(stream, header)
        for piece in pieces:
            stream.write(np.ascontiguousarray(piece, dtype="<f8").data.cast("B") if piece.size else b"")


def _member(name: str) -> zipfile.ZipInfo:
    """Return a member's header without the time of day, so that equal features give equal files."""
    return zipfile.ZipInfo(f"{name}.npy")


def read(path: Path) -> Features:
    """Read the features that `write` wrote; the values stay in the file until they are asked for.

    Raises
    ------
    DataError
        When it is no such file, or damaged.
    """
    try:
        with open_plain(path) as stream, zipfile.ZipFile(stream) as zipped:
            labels = {name: read_array(zipped, name) for name in LABELS}
            provenance = str(read_array(zipped, "provenance"))
            _check_together(labels)
    except UNREADABLE as error:
        raise damaged(path, error) from error

    shape = len(labels["frame"]), len(labels["columns"])
    return Features(provenance, **labels, values=lambda: _values(path, *shape))


def provenance_of(path: Path) -> str:
    """Return the provenance in an output file of either format.

    Raises
    ------
    DataError
        When it holds none.
    """
    try:
        with open_plain(path) as stream, zipfile.ZipFile(stream) as zipped:
            return str(read_array(zipped, "provenance"))
    except UNREADABLE as error:
        raise damaged(path, error) from error


def read_array(zipped: zipfile.ZipFile, name: str) -> np.ndarray:
    """Read a member that holds an array to its end, where the checksum is compared."""
    info = zipped.getinfo(f"{name}.npy")
    if info.compress_type != zipfile.ZIP_STORED:
        raise ValueError(f"{name} is packed")

    array: np.ndarray = np.lib.format.read_array(io.BytesIO(zipped.read(info)), allow_pickle=False)
    return array


def _check_together(labels: dict[str, np.ndarray]) -> None:
    """Raise ``ValueError`` when the arrays are not those of one set of features."""
    rows = {labels[name].shape for name in ("frame", "centre", "species")}
    if len(rows) != 1 or any(labels[name].ndim != 1 for name in LABELS):
        raise ValueError("its arrays do not belong together")
    if labels["columns"].dtype != KIND or not len(labels["columns"]):
        raise ValueError("its columns are no columns of features")


def _values(path: Path, rows: int, columns: int) -> Iterator[np.ndarray]:
    """Yield the rows, some at a time; the checksum is compared at the end."""
    at_a_time = max(1, AT_A_TIME // (8 * columns))

    try:
        with open_plain(path) as file, zipfile.ZipFile(file) as zipped, zipped.open("values.npy") as stream:
            np.lib.format.read_magic(stream)
            shape, _, kind = np.lib.format.read_array_header_1_0(stream)
            if shape != (rows, columns) or kind != np.dtype("<f8"):
                raise ValueError("its values do not belong to its labels")
            while content := stream.read(8 * columns * at_a_time):
                yield np.frombuffer(content, dtype="<f8").reshape(-1, columns)
    except UNREADABLE as error:
        raise damaged(path, error) from error


def damaged(path: Path, error: Any, what: str = "features", command: str = "describe") -> DataError:
    """Return the error about a file that is not what it should be."""
    came = getattr(error, "strerror", None)
    if not came:
        with open_plain(path) as stream:
            zipped = stream.read(2) == b"PK"
        came = f"it cannot be read ({error})" if zipped else f"it is no file of {what}"

    allowed = f"a file of `anisweep {command}`"
    return DataError(str(path), came, allowed, "name another file, or make it anew")
