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
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "In quaternion mode", UserWarning)
        # Isolated particles are dropped as the reference does.
        return make(**hypers.arguments, rotation_key="c_q", drop_isolated=True, **more)


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
