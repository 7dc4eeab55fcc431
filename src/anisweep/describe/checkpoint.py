"""Keep the finished parts of an incomplete output in a hidden folder beside it."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import numpy as np

from anisweep.datasets import DataError
from anisweep.describe.first_pass import Survey, survey
from anisweep.describe.output import new_file
from anisweep.describe.request import Request
from anisweep.files import locked, other_than_a_file, read_bytes, sha256_of

#: A part ends at so many frames, or so many bytes.
FRAMES = 1000
BYTES = 2**24


@dataclass(frozen=True)
class Part:
    """Name a run of frames whose features are computed together.

    Attributes
    ----------
    first, end : frames, the end not included
    rows : of the features
    """

    first: int
    end: int
    rows: int


def divide(counts: np.ndarray, first: int, end: int, per_centre: bool, columns: int) -> list[Part]:
    """Return the parts of the frames from first to end; a frame is never divided."""
    parts = []
    begin, rows = first, 0

    for frame in range(first, end):
        rows += int(counts[frame]) if per_centre else 1
        if frame + 1 == end or frame + 1 - begin == FRAMES or 8 * columns * rows >= BYTES:
            parts.append(Part(begin, frame + 1, rows))
            begin, rows = frame + 1, 0
    return parts


class Folder:
    """Keep the files of the parts.

    Parameters
    ----------
    output : the file that they will become
    key : digest of all that decides the bits
    """

    def __init__(self, output: Path, key: str) -> None:
        self.path = output.with_name(f".{output.name}.parts")
        self.key = key

    @contextmanager
    def held(self) -> Iterator[None]:
        """Keep out other runs that make the same output, and drop what another request has left.

        Raises
        ------
        DataError
            When there is such a run.
        """
        self.path.mkdir(exist_ok=True)
        if other_than_a_file(self.path / "lock"):
            _remove(self.path / "lock")

        with (self.path / "lock").open("w") as lock:
            if not locked(lock):
                came = "another run is making this output"
                raise DataError(str(self.path), came, "one at a time", "wait for it, or stop it")

            self._begin()
            try:
                yield
            finally:
                if not any(self.path.glob("*-*.npz")):
                    self.remove()

    def _begin(self) -> None:
        """Remove all files but those that were made for this key and have the bytes that were written."""
        key = self.path / "key"
        same = key.is_file() and key.read_bytes() == self.key.encode()

        for left in sorted(self.path.glob("*.npz")):
            if not same or not _is_sealed(left):
                _remove(left)
                _remove(_seal(left))
        if not same:
            _remove(key)
            with new_file(key) as stream:
                stream.write(self.key.encode())

    def survey(self, request: Request) -> Survey:
        """Return the survey of a request's file, which is made once; a piece has the species of the whole."""
        path = self.path / "survey.npz"

        if not path.exists():
            made = survey(request.file, request.file_format, request.piece)
            with _sealed(path) as stream:
                np.savez(stream, counts=made.counts, species=made.species, names=made.names)
        with np.load(path) as there:
            return Survey(there["counts"], there["species"], there["names"])

    def has(self, part: Part) -> bool:
        """Return True if a part is there; what is not whole was removed in the beginning."""
        return self.file(part).exists()

    def writing(self, part: Part) -> AbstractContextManager[IO[bytes]]:
        """Open the file of a part, which counts when it is whole."""
        return _sealed(self.file(part))

    def drop(self, part: Part) -> None:
        """Remove the file of a part, where there is one."""
        _remove(self.file(part))
        _remove(_seal(self.file(part)))

    def remove(self) -> None:
        """Remove the folder with all parts."""
        shutil.rmtree(self.path, ignore_errors=True)

    def file(self, part: Part) -> Path:
        """Return the name of the file of a part."""
        return self.path / f"{part.first}-{part.end}.npz"


# --- seals: digests beside the files, for a machine may stop, and a disk may fail, between two runs --------


@contextmanager
def _sealed(path: Path) -> Iterator[IO[bytes]]:
    """Write a file, and then its seal; a file without one is not believed."""
    with new_file(path) as stream:
        yield stream
    with new_file(_seal(path)) as stream:
        stream.write(_digest(path))


def _is_sealed(path: Path) -> bool:
    """Return True if every byte of a file is as it was written, under the name that it has."""
    try:
        return read_bytes(_seal(path)) == _digest(path)
    except OSError:
        return False


def _seal(path: Path) -> Path:
    return path.with_name(f"{path.name}.sha256")


def _digest(path: Path) -> bytes:
    """Return the line that the program sha256sum writes for a file."""
    return f"{sha256_of(path)}  {path.name}\n".encode()


def _remove(path: Path) -> None:
    """Remove a file or a folder, whatever it is."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)
