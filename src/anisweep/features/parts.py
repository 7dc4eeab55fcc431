"""What is computed of an output that is not finished yet: files in a hidden folder beside it."""

from __future__ import annotations

import fcntl
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from anisweep.datasets import DataError
from anisweep.features import npz
from anisweep.features.features import Features
from anisweep.features.output import whole
from anisweep.features.survey import Survey, survey

#: A part ends at so many frames, or so many bytes.
FRAMES = 1000
BYTES = 2**24


@dataclass(frozen=True)
class Part:
    """The features of a run of frames.

    Attributes
    ----------
    first, end : frames, the end not included
    rows : of the features
    """

    first: int
    end: int
    rows: int


def divide(counts: np.ndarray, first: int, end: int, per_centre: bool, columns: int) -> list[Part]:
    """The parts of the frames from first to end; a frame is never divided."""
    parts = []
    begin, rows = first, 0

    for frame in range(first, end):
        rows += int(counts[frame]) if per_centre else 1
        if frame + 1 == end or frame + 1 - begin == FRAMES or 8 * columns * rows >= BYTES:
            parts.append(Part(begin, frame + 1, rows))
            begin, rows = frame + 1, 0
    return parts


class Folder:
    """The files of the parts.

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

        with (self.path / "lock").open("w") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                came = "another run is making this output"
                raise DataError(str(self.path), came, "one at a time", "wait for it, or stop it") from None

            self._begin()
            try:
                yield
            finally:
                if not any(self.path.glob("*-*.npz")):
                    self.remove()

    def _begin(self) -> None:
        """All files that stay were made for this key."""
        key = self.path / "key"
        if key.exists() and key.read_text() == self.key:
            return

        for left in self.path.glob("*.npz"):
            left.unlink()
        with whole(key) as stream:
            stream.write(self.key.encode())

    def survey(self, file: Path) -> Survey:
        """Of the file, made once."""
        path = self.path / "survey.npz"

        if not path.exists():
            made = survey(file)
            with whole(path) as stream:
                np.savez(stream, counts=made.counts, species=made.species)
        with np.load(path) as there:
            return Survey(there["counts"], there["species"])

    def has(self, part: Part) -> bool:
        """Whether a part is there, whole: every byte is read, since the machine may have stopped, too."""
        try:
            return sum(len(piece) for piece in self.read(part).values()) == part.rows
        except DataError:
            return False

    def write(self, part: Part, features: Features) -> None:
        with whole(self._file(part)) as stream:
            npz.write(features, stream)

    def read(self, part: Part) -> Features:
        return npz.read(self._file(part))

    def remove(self) -> None:
        shutil.rmtree(self.path, ignore_errors=True)

    def _file(self, part: Part) -> Path:
        return self.path / f"{part.first}-{part.end}.npz"
