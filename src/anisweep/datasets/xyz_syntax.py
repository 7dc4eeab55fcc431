"""A first look at an XYZ file, line by line.

ASE ends at the first blank line and says nothing about the frames behind it, and its errors name no line.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from pathlib import Path
from typing import TextIO

from ase.io.formats import get_compression, open_with_compression

from anisweep.datasets.errors import DataError

ALLOWED = "for each frame a line with the number of particles, a header, and one line a particle"


def is_xyz(path: Path) -> bool:
    """Whether the name says XYZ, compressed or not."""
    name, _ = get_compression(path.name)
    return name.endswith((".xyz", ".extxyz"))


def check_xyz(path: Path) -> None:
    """Raise a `DataError` with the number of the first line that cannot belong to an XYZ file."""
    with open_with_compression(str(path), "r") as stream:
        lines = _numbered(stream, path)

        for frame in itertools.count():
            number, line = next(lines, (0, ""))

            if not line.strip():
                _expect_the_end(lines, path, number)
                return

            for _ in range(1 + _particles(line, path, number, frame)):
                if next(lines, None) is None:
                    came = "the file ends inside it"
                    raise DataError(
                        f"{path}, frame {frame}", came, ALLOWED, "complete the frame or remove it"
                    )


def _numbered(stream: TextIO, path: Path) -> Iterator[tuple[int, str]]:
    try:
        yield from enumerate(stream, start=1)
    except UnicodeDecodeError as error:
        raise DataError(
            str(path), f"it is not text ({error.reason})", ALLOWED, "name the right file"
        ) from error


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
