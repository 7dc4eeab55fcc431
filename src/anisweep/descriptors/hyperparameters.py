"""Hyperparameters are refused where they make no sense, before anything is computed."""

from __future__ import annotations

from numbers import Integral, Real
from typing import Any

import numpy as np

from anisweep.descriptors.errors import BadInput

MOST_THREADS = 1024


def check_choices(
    compute_gradients: bool,
    rotation_key: str,
    rotation_type: str,
    threads: int,
    basis_rcond: float,
    basis_tol: float,
) -> None:
    if compute_gradients:
        raise NotImplementedError(
            "Sorry! Gradients have not yet been implemented here: see anisweep.descriptors.gradients"
        )
    if not isinstance(rotation_key, str):
        raise BadInput(f"rotation_key must be the name of an array of the frames, not {rotation_key!r}")
    if rotation_type not in ("quaternion", "matrix"):
        raise BadInput(
            "We have only implemented transforming quaternions (`quaternion`) and rotation matrices "
            "(`matrix`)."
        )
    if isinstance(threads, bool) or not isinstance(threads, Integral) or not 1 <= threads <= MOST_THREADS:
        raise BadInput(f"threads must be an integer from 1 to {MOST_THREADS}, not {threads!r}")
    for name, share in (("basis_rcond", basis_rcond), ("basis_tol", basis_tol)):
        if not isinstance(share, Real) or np.isnan(share):
            raise BadInput(f"{name} must be a number, not {share!r}")


def length(name: str, value: Any) -> float:
    """A length in Angstrom. Integers are refused, as by the published package."""
    if isinstance(value, bool) or type(value) is int:
        raise BadInput(
            f"{name} is set as an integer, which could cause overflow errors. Pass in float: {value}.0"
        )
    if not isinstance(value, Real) or not 0 < float(value) < float("inf"):
        raise BadInput(f"{name} must be a positive length in Angstrom, not {value!r}")
    return float(value)


def smoothing(width: float | None, cutoff: float) -> float:
    """Zero where nothing fades."""
    if width is None:
        return 0.0
    if length("cutoff_smoothing", width) > cutoff:
        raise BadInput(
            f"cutoff_smoothing is {width}, more than cutoff_radius, {cutoff}: choose a smaller one"
        )
    return float(width)


def width(basis: str, width: float | None) -> float:
    """Of the envelope; infinite where there is none."""
    if basis == "gto":
        if width is None:
            raise BadInput("Gaussian width must be provided with GTO basis: radial_gaussian_width=1.5")
        return length("radial_gaussian_width", width)

    if basis == "monomial":
        if width is not None:
            raise BadInput("Gaussian width can only be provided with GTO basis")
        return float("inf")

    raise NotImplementedError(f"{basis} is not an implemented basis. Try 'monomial' or 'gto'")
