"""AniSweep's own kernels on the CPU, in C."""

from __future__ import annotations

import os
import warnings
from typing import Any

from ase import Atoms

from anisweep.cell import Hypers, Output
from anisweep.descriptors import EllipsoidalDensityProjection
from anisweep.modes import Timer, require
from anisweep.modes._species import one_species

PRECISIONS = ("fp64",)
DEVICES = ("cpu",)


def prepare(hypers: Hypers, output: Output, precision: str, device: str) -> tuple[Any, Output]:
    """The projection, with the threads that the environment pins."""
    require("precision", precision, PRECISIONS)
    require("device", device, DEVICES)

    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "In quaternion mode", UserWarning)
        projection = EllipsoidalDensityProjection(
            max_angular=hypers.max_angular,
            radial_basis_name=hypers.radial_basis_name,
            cutoff_radius=float(hypers.cutoff_radius),
            subtract_center_contribution=hypers.subtract_center_contribution,
            radial_gaussian_width=None
            if hypers.radial_gaussian_width is None
            else float(hypers.radial_gaussian_width),
            max_radial=hypers.max_radial,
            rotation_key="c_q",
            basis_rcond=hypers.basis_rcond,
            basis_tol=hypers.basis_tol,
            threads=int(os.environ.get("OMP_NUM_THREADS", "1")),
            drop_isolated=True,  # as the reference does
        )

    return projection, output


def compute(calculator: tuple[Any, Output], frames: list[Atoms], clock: Timer) -> Any:
    """Coefficients of any number of species, or the power spectrum of one."""
    projection, output = calculator

    with clock.stage("descriptors"):
        if output == "coefficients":
            return projection.transform(frames)

        one_species(frames)
        return projection.power_spectrum(frames)
