"""Read files of users, one format a file: a new file in this folder is a new format.

No other file needs to know. A reader has the name of its format, with underscores for hyphens, and one public
name besides its functions: ``FORMAT``, which says how files of the format are told from others and read.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from pathlib import Path

from ase import Atoms

FOLDER = Path(__file__).parent

#: Yields the frames of a file from the first one to the end, without it.
Reader = Callable[[Path, int, int | None], Iterator[Atoms]]


@dataclass(frozen=True)
class Format:
    """Say how files of a format are told from others, and how they are read.

    Attributes
    ----------
    endings : of names of files
    beginning : how such a file begins, where nothing else begins so
    hints : what the beginning of such a file holds, all of it, where neither of the others says anything
    in_place_of : names of ASE's readers that lose columns of such files
    unsaid : what reading takes for granted because no file of the format says it
    """

    read: Reader
    endings: tuple[str, ...]
    beginning: re.Pattern[bytes] | None = None
    hints: tuple[re.Pattern[bytes], ...] = ()
    in_place_of: tuple[str, ...] = ()
    unsaid: str = ""


def names() -> list[str]:
    """Return the names of the formats as `--format` and `format:` take them, sorted."""
    return sorted(path.stem.replace("_", "-") for path in FOLDER.glob("[!_]*.py"))


@cache
def known_formats() -> dict[str, Format]:
    """Return every format by its name."""
    return {name: import_module(f"{__name__}.{name.replace('-', '_')}").FORMAT for name in names()}


def allowed() -> str:
    """Say which formats are read, for messages."""
    return f"{', '.join(names())}, or a format of `ase info --formats`"
