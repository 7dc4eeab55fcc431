"""A first look at an XYZ file, line by line.

ASE ends at the first blank line and says nothing about the frames behind it, and its errors name no line.
"""

from __future__ import annotations

import itertools
import lzma
from collections.abc import Iterator
from pathlib import Path

from anisweep.datasets.errors import DataError

ALLOWED = "for each frame a line with the number of particles, a header, and one line a particle"


def is_xyz(path: Path) -> bool:
    """Whether the name says XYZ, compressed or not."""
    from ase.io.formats import get_compression  # takes half a second, of every command

    name, _ = get_compression(path.name)
    return Path(name).suffix in (".xyz", ".extxyz")


def xyz_frames(path: Path) -> Iterator[str]:
    """Text of frame after frame of an XYZ file, compressed or not; each begins and ends where it should.

    Raises
    ------
    DataError
        With the number of the first line that cannot belong to an XYZ file.
    """
    from ase.io.formats import open_with_compression

    try:
        with open_with_compression(str(path), "r") as stream:
            yield from _frames(enumerate(stream, start=1), path)
    except (OSError, EOFError, ValueError, lzma.LZMAError) as error:
        if isinstance(error, DataError):
            raise
        came = f"it cannot be read ({error})"
        raise DataError(str(path), came, "text, or .gz, .bz2 or .xz of it", "name the right file") from error


def _frames(lines: Iterator[tuple[int, str]], path: Path) -> Iterator[str]:
    for frame in itertools.count():
        number, line = next(lines, (0, ""))

        if not line.strip():
            _expect_the_end(lines, path, number)
            return

        length = 1 + _particles(line, path, number, frame)
        rest = [text for _, text in itertools.islice(lines, length)]

        if len(rest) < length:
            came = "the file ends inside it"
            raise DataError(f"{path}, frame {frame}", came, ALLOWED, "complete the frame or remove it")
        yield "".join([line, *rest])


def _particles(line: str, path: Path, number: int, frame: int) -> int:
    try:
        particles = int(line)
    except ValueError:
        particles = 0

    if particles < 1:
        came = f"{line.strip()[:60]!r} stands where the number of particles of frame {frame} belongs"
        remedy = "correct the number; it must be the number of lines after the header"
        raise DataError(f"{path}, line {number}", came, "a whole number from 1", remedy)

    return particles


def _expect_the_end(lines: Iterator[tuple[int, str]], path: Path, blank: int) -> None:
    for number, line in lines:
        if line.strip():
            came = f"a blank line, and more data from line {number} on"
            raise DataError(f"{path}, line {blank}", came, ALLOWED, "remove the blank line")
