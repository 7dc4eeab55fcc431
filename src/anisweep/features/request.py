"""What a user asks for: features of a file."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from pathlib import Path

from anisweep.cell import Hypers, Output
from anisweep.datasets.diameters import Diameters
from anisweep.descriptors import EllipsoidalDensityProjection


@dataclass(frozen=True)
class Shard:
    """One of several runs that share the frames of a file: the ``number``-th of ``of``, from 1."""

    number: int = 1
    of: int = 1

    def frames(self, count: int) -> tuple[int, int]:
        """Its first frame, and the one after its last."""
        return (self.number - 1) * count // self.of, self.number * count // self.of


@dataclass(frozen=True)
class Request:
    """Features of the particles in a file.

    Attributes
    ----------
    file : in any format that ASE reads
    hypers : of the descriptors
    orientations : name of an array of quaternions (w, x, y, z) or rotation matrices, or ``identity``
    diameters : as in a study: lengths, lengths by species, names of arrays, or None: in the file
    output : power_spectrum or coefficients
    per_centre : one row for each particle; else the mean over each frame
    pairs : of species (symbols), of the power spectrum; all when empty
    shard : which of the frames
    cutoff_smoothing : Angstrom before the cutoff within which neighbours fade; None: the cutoff is sharp
    """

    file: Path
    hypers: Hypers = Hypers()
    orientations: str = "c_q"
    diameters: Diameters = None
    output: Output = "power_spectrum"
    per_centre: bool = True
    pairs: tuple[tuple[str, str], ...] = ()
    shard: Shard = Shard()
    cutoff_smoothing: float | None = None

    def projection(self, threads: int) -> EllipsoidalDensityProjection:
        """What computes it.

        Raises
        ------
        BadInput
            for hyperparameters that make no sense
        """
        hypers = self.hypers

        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", "In quaternion mode", UserWarning)
            return EllipsoidalDensityProjection(
                max_angular=hypers.max_angular,
                radial_basis_name=hypers.radial_basis_name,
                cutoff_radius=hypers.cutoff_radius,
                subtract_center_contribution=hypers.subtract_center_contribution,
                radial_gaussian_width=hypers.radial_gaussian_width,
                max_radial=hypers.max_radial,
                rotation_key="c_q",
                basis_rcond=hypers.basis_rcond,
                basis_tol=hypers.basis_tol,
                threads=threads,
                cutoff_smoothing=self.cutoff_smoothing,
            )
