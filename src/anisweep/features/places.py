"""Say where in the user's files the frame stands that an error in a shard is about."""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import islice
from pathlib import Path

from anisweep.datasets.errors import DataError
from anisweep.datasets.user_files.readers.xyz import counts_in_xyz
from anisweep.features.cutting import FilePart

#: What errors say of the piece that a job has read; they name a line where one is at fault.
PLACE = re.compile(r"\bframe (?P<frame>\d+)(?:, line (?P<line>\d+))?")


def in_the_users_file(error: DataError, piece: Path, parts: Sequence[FilePart]) -> DataError:
    """Return an error about a frame in a piece as one about the file that this frame is from.

    Parameters
    ----------
    piece : the file that a job has read
    parts : of which files it was cut
    """
    found = PLACE.search(error.where) or PLACE.search(error.came)
    if not found:
        return error

    frame = int(found["frame"])
    line = int(found["line"] or _first_line(piece, frame))
    part, frame, line = _moved(frame, line, parts)
    said = f"frame {frame}, line {line}" if found["line"] else f"frame {frame} (from line {line} on)"

    where = error.where.replace(str(piece), part.file, 1).replace(found[0], said, 1)
    came = error.came if PLACE.search(error.where) else error.came.replace(found[0], said, 1)
    return DataError(where, came, error.allowed, error.remedy)


def _first_line(piece: Path, frame: int) -> int:
    """Return the number of a frame's first line, from 1."""
    return sum(islice(counts_in_xyz(piece), frame)) + 2 * frame + 1


def _moved(frame: int, line: int, parts: Sequence[FilePart]) -> tuple[FilePart, int, int]:
    """Return the part that a frame of the piece is in, and its frame and line in that part's file."""
    *others, last = parts
    for part in others:
        if frame < part.cut.frames:
            last = part
            break
        frame, line = frame - part.cut.frames, line - part.cut.lines
    return last, last.first + frame, last.line + line - 1
