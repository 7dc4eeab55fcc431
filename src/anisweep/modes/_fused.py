"""Run AniSweep's own descriptors for the modes."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
from ase import Atoms

from anisweep.cell import Hypers, Output
from anisweep.descriptors import EllipsoidalDensityProjection
from anisweep.modes import Timer
from anisweep.modes._species import one_species


def projection(make: Callable[..., Any], hypers: Hypers, **more: Any) -> Any:
    """Return an `EllipsoidalDensityProjection`, or a class with its arguments, for some hyperparameters."""
    width = hypers.radial_gaussian_width

    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "In quaternion mode", UserWarning)
        return make(
            max_angular=hypers.max_angular,
            radial_basis_name=hypers.radial_basis_name,
            cutoff_radius=float(hypers.cutoff_radius),
            subtract_center_contribution=hypers.subtract_center_contribution,
            radial_gaussian_width=None if width is None else float(width),
            max_radial=hypers.max_radial,
            rotation_key="c_q",
            basis_rcond=hypers.basis_rcond,
            basis_tol=hypers.basis_tol,
            drop_isolated=True,  # as the reference does
            **more,
        )


def compute(
    calculator: tuple[EllipsoidalDensityProjection, Output], frames: list[Atoms], clock: Timer
) -> Any | np.ndarray:
    """Return coefficients of any number of species, or the power spectrum of one."""
    projection, output = calculator

    with clock.stage("descriptors"):
        if output == "coefficients":
            return projection.transform(frames)

        one_species(frames)
        return projection.power_spectrum(frames)
