"""Keep what some frames say of a model: normal equations as an .npz file."""

from __future__ import annotations

import json
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import numpy as np

from anisweep.describe import format_npz
from anisweep.descriptors import EllipsoidalDensityProjection
from anisweep.files import open_plain
from anisweep.models.equations import KINDS, NormalEquations
from anisweep.models.projections import projection_of


@dataclass(frozen=True)
class SummedFrames:
    """Hold normal equations with what they come from.

    Attributes
    ----------
    provenance : JSON, of the request
    hyperparameters : JSON, of the projection
    species : those of the particles, sorted
    note : what is strange about the labels; empty for nothing
    """

    provenance: str
    hyperparameters: str
    species: np.ndarray
    equations: NormalEquations
    note: str = ""

    def projection(self) -> EllipsoidalDensityProjection:
        """Return what describes the particles."""
        return projection_of(json.loads(self.hyperparameters), threads=1)


def write(summed: SummedFrames, stream: IO[bytes]) -> None:
    """Write them as an .npz file, whose bytes depend on nothing else."""
    rows = np.array([summed.equations.kinds[kind].rows for kind in KINDS])
    with zipfile.ZipFile(stream, "w") as zipped:
        format_npz.write_array(zipped, "provenance", np.array(summed.provenance))
        format_npz.write_array(zipped, "hyperparameters", np.array(summed.hyperparameters))
        format_npz.write_array(zipped, "note", np.array(summed.note))
        format_npz.write_array(zipped, "species", summed.species)
        format_npz.write_array(zipped, "features", np.array(summed.equations.features))
        format_npz.write_array(zipped, "rows", rows)
        for kind in KINDS:
            format_npz.write_array(zipped, kind, summed.equations.kinds[kind].triangle)


def read(path: Path) -> SummedFrames:
    """Read what `write` wrote.

    Raises
    ------
    DataError
        When it is no such file, or damaged.
    """
    try:
        with open_plain(path) as stream, zipfile.ZipFile(stream) as zipped:
            provenance = str(format_npz.read_array(zipped, "provenance"))
            hyperparameters = str(format_npz.read_array(zipped, "hyperparameters"))
            note = str(format_npz.read_array(zipped, "note"))
            species = format_npz.read_array(zipped, "species")
            equations = NormalEquations(len(species), int(format_npz.read_array(zipped, "features")))
            rows = format_npz.read_array(zipped, "rows").tolist()
            for kind, count in zip(KINDS, rows, strict=True):
                equations.kinds[kind].put(format_npz.read_array(zipped, kind), count)
    except format_npz.UNREADABLE as error:
        raise format_npz.damaged(path, error, "sums for a fit", "fit --shard") from error
    return SummedFrames(provenance, hyperparameters, species, equations, note)
