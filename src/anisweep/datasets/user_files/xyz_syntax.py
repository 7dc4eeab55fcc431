"""Divide an XYZ file into its frames, line by line.

ASE ends at the first blank line and says nothing about the frames behind it, and its errors name no line.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from anisweep.datasets.errors import DataError
from anisweep.datasets.user_files.text_lines import Lines, open_lines
from anisweep.formatting import counted

ALLOWED = "for each frame a line with the number of particles, a header, and one line a particle"


@dataclass(frozen=True)
class XyzFrame:
    """Hold the text of a frame; ``line`` is the number of its first row, from 1."""

    header: str
    rows: list[str]
    line: int


def xyz_frames(path: Path) -> Iterator[XyzFrame]:
    """Divide an XYZ file, compressed or not, into frames; each begins and ends where it should.

    Raises
    ------
    DataError
        With the number of the first line that cannot belong to an XYZ file.
    """
    with open_lines(path) as lines:
        yield from _frames(lines)
        lines.check_end()


def _frames(lines: Lines) -> Iterator[XyzFrame]:
    for frame in itertools.count():
        line = lines.next()

        if not line.strip():
            _expect_the_end(lines)
            return

        count = _particles(line, lines, frame)
        header, first = lines.next(), lines.number + 1
        rows = lines.take(count)

        if len(rows) < count:
            announced = counted(count, "particle is", "particles are")
            came = f"the file ends inside it: {announced} announced, {len(rows)} there"
            remedy = "complete the frame or remove it"
            raise DataError(f"{lines.path}, frame {frame}", came, ALLOWED, remedy)
        yield XyzFrame(header.rstrip("\r\n"), rows, first)


def _particles(line: str, lines: Lines, frame: int) -> int:
    text = line.strip()
    particles = int(text) if text.isascii() and text.isdigit() and len(text) < 19 else 0

    if particles < 1:
        came = f"{text[:60]!r} stands where the number of particles of frame {frame} belongs"
        remedy = "correct the number; it must be the number of lines after the header"
        if frame == 0:
            remedy += "; if the file is no XYZ, name its format with --format, in a study with `format:`"
        raise DataError(f"{lines.path}, line {lines.number}", came, "a whole number from 1", remedy)

    return particles


def _expect_the_end(lines: Lines) -> None:
    blank = lines.number

    while line := lines.next():
        if line.strip():
            came = f"a blank line, and more data from line {lines.number} on"
            raise DataError(f"{lines.path}, line {blank}", came, ALLOWED, "remove the blank line")
