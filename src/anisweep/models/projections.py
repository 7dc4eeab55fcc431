"""Turn a projection into its hyperparameters as plain values, and back."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from typing import Any

import numpy as np

from anisweep.descriptors.projection import EllipsoidalDensityProjection


def hyperparameters_of(projection: EllipsoidalDensityProjection) -> dict[str, Any]:
    """Return the arguments that make the same projection, but for its threads.

    The precision is among them where it is not the usual one, so that older versions read most models.
    """
    basis = projection.radial_basis
    single = {"precision": "fp32"} if projection.tables.single else {}
    return {
        "max_angular": basis.lmax,
        "radial_basis_name": basis.name,
        "cutoff_radius": basis.cutoff,
        "subtract_center_contribution": projection.subtract_center_contribution,
        "radial_gaussian_width": basis.width if np.isfinite(basis.width) else None,
        "max_radial": [count - 1 for count in basis.counts],
        "rotation_key": projection.rotation_key,
        "rotation_type": projection.rotation_type,
        "basis_rcond": basis.rcond,
        "basis_tol": basis.tol,
        "drop_isolated": projection.drop_isolated,
        "cutoff_smoothing": projection.tables.smoothing or None,
        **single,
    }


def projection_of(hyperparameters: Mapping[str, Any], threads: int) -> EllipsoidalDensityProjection:
    """Return the projection that has these hyperparameters."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "In quaternion mode")  # which was said when it was made first
        return EllipsoidalDensityProjection(**hyperparameters, threads=threads)
