"""The first pass over a file: how many particles each frame has, and which species occur.

So the rows and columns of the features are known before the first one is computed. In XYZ this reads the
text without making numbers of it.
"""

from __future__ import annotations

import re
from array import array
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from ase.data import atomic_numbers

from anisweep.datasets.userfile import read_any
from anisweep.datasets.xyz_syntax import is_xyz, xyz_frames

#: Of a header of extended XYZ; without it the species is the first column.
PROPERTIES = re.compile(r"""\bProperties=["']?([^"'\s]+)""")


@dataclass(frozen=True)
class Survey:
    """What must be known of a whole file.

    Attributes
    ----------
    counts : (frames,) particles of each
    species : atomic numbers of all particles, sorted
    """

    counts: np.ndarray
    species: np.ndarray


def survey(path: Path) -> Survey:
    """Look at every frame of a file.

    Raises
    ------
    DataError
        When the file cannot be read.
    """
    if is_xyz(path):
        try:
            return _survey(_in_text(path))
        except LookupError:
            pass  # a column or a symbol that is not found so: ASE finds it, or says what is wrong

    return _survey((len(frame), set(frame.numbers.tolist())) for frame in read_any(path))


def _survey(frames: Iterable[tuple[int, set[int]]]) -> Survey:
    counts = array("q")
    species: set[int] = set()

    for count, numbers in frames:
        counts.append(count)
        species |= numbers

    return Survey(np.array(counts, dtype=np.int64), np.array(sorted(species), dtype=np.int64))


def _in_text(path: Path) -> Iterator[tuple[int, set[int]]]:
    """Particles and atomic numbers of each frame of an XYZ file."""
    for text in xyz_frames(path):
        _, header, *lines = text.splitlines()
        column = _species_column(header)
        symbols = {line.split(None, column + 1)[column] for line in lines}
        yield len(lines), {atomic_numbers[symbol.capitalize()] for symbol in symbols}


def _species_column(header: str) -> int:
    """Where the symbols stand."""
    found = PROPERTIES.search(header)
    if not found:
        return 0

    names, columns = found[1].split(":")[::3], found[1].split(":")[2::3]
    if "species" not in names or "Z" in names:
        raise LookupError(header)
    return sum(map(int, columns[: names.index("species")]))
