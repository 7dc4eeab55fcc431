"""Define the request of a user: a file, and which features of it to compute."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

from anisweep.cell import Hypers, Output
from anisweep.datasets.user_files.conventions import Order
from anisweep.datasets.user_files.diameters import Diameters
from anisweep.datasets.user_files.orientations import Orientations
from anisweep.descriptors import EllipsoidalDensityProjection
from anisweep.parsing.schema import Within

#: More runs than this share no file.
MOST_SHARDS = 10**9


@dataclass(frozen=True)
class Shard:
    """Name one of several runs that share the frames of a file: the ``number``-th of ``of``, from 1."""

    number: Annotated[int, Within(1, MOST_SHARDS)] = 1
    of: Annotated[int, Within(1, MOST_SHARDS)] = 1

    def frames(self, count: int) -> tuple[int, int]:
        """Return the first frame of the shard, and the one after its last."""
        return (self.number - 1) * count // self.of, self.number * count // self.of


@dataclass(frozen=True)
class Piece:
    """Say what must be known of a whole file to describe a piece of it that is a file of its own.

    Attributes
    ----------
    key : digest of all that decides the bits of its features
    species : numbers of the species of the whole, sorted
    names : of these species
    frames, particles : how many stand before the piece, for fits, which take a part of them; else 0
    """

    key: str
    species: tuple[int, ...]
    names: tuple[str, ...]
    frames: int = 0
    particles: int = 0


@dataclass(frozen=True)
class Request:
    """Say which features of which file are asked for.

    Attributes
    ----------
    file : in any format that is read
    hypers : of the descriptors
    orientations : arrays of quaternions or rotation matrices by name, the stem of their names, or
        ``identity``
    diameters : as in a study: lengths, lengths by species, names of arrays, or None: in the file
    output : power_spectrum or coefficients
    per_centre : one row for each particle; else the mean over each frame
    pairs : of species by name, of the power spectrum; all when empty
    shard : which of the frames
    orientation_order : of the components of quaternions; None: by convention
    radii : whether ``diameters`` are semi-axes; None: by convention
    file_format : its name; None: what the file itself says
    cutoff_smoothing : Angstrom before the cutoff within which neighbours fade; None: the cutoff is sharp
    precision : in which the kernels compute; files hold float64
    piece : what the file is a piece of; None: it is the whole
    """

    file: Path
    hypers: Hypers = Hypers()
    orientations: Orientations = "c_q"
    diameters: Diameters = None
    output: Output = "power_spectrum"
    per_centre: bool = True
    pairs: tuple[tuple[str, str], ...] = ()
    shard: Shard = Shard()
    cutoff_smoothing: float | None = None
    precision: Literal["fp64", "fp32"] = "fp64"
    orientation_order: Order | None = None
    radii: bool | None = None
    file_format: str | None = None
    piece: Piece | None = None

    def projection(self, threads: int) -> EllipsoidalDensityProjection:
        """Return the projection that computes these features.

        Raises
        ------
        BadInput
            for hyperparameters that make no sense
        """
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", "In quaternion mode", UserWarning)
            return EllipsoidalDensityProjection(
                **vars(self.hypers),
                rotation_key="c_q",
                threads=threads,
                cutoff_smoothing=self.cutoff_smoothing,
                precision=self.precision,
            )
