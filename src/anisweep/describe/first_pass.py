"""Make the first pass over a file: count the particles of each frame, and list the species.

So the rows and columns of the features are known before the first one is computed. In XYZ this reads the
text without making numbers of it.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from anisweep.datasets.species import names_in
from anisweep.datasets.user_files.formats import format_of
from anisweep.datasets.user_files.readers.xyz import counts_in_xyz, survey_xyz
from anisweep.datasets.user_files.userfile import read_any
from anisweep.describe.request import Piece


@dataclass(frozen=True)
class Survey:
    """Hold what must be known of a whole file before features are computed.

    Attributes
    ----------
    counts : (frames,) particles of each
    species : numbers of the species of all particles, sorted
    names : of these species
    """

    counts: np.ndarray
    species: np.ndarray
    names: np.ndarray


def survey(path: Path, file_format: str | None = None, piece: Piece | None = None) -> Survey:
    """Survey a file by looking at every frame, or count the particles of a piece whose species are known.

    Raises
    ------
    DataError
        When the file cannot be read.
    """
    if piece:
        counts = np.fromiter(counts_in_xyz(path), dtype=np.int64)
        return Survey(counts, np.array(piece.species), np.array(piece.names))

    if format_of(path, file_format) == "xyz":
        return _survey(survey_xyz(path))

    return _survey((len(frame), names_in(frame)) for frame in read_any(path, file_format=file_format))


def _survey(frames: Iterable[tuple[int, dict[int, str]]]) -> Survey:
    counts = array("q")
    known: dict[int, str] = {}

    for count, names in frames:
        counts.append(count)
        known |= names

    species = sorted(known)
    return Survey(
        np.array(counts, dtype=np.int64),
        np.array(species, dtype=np.int64),
        np.array([known[number] for number in species], dtype=str),
    )
