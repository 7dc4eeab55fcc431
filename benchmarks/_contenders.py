"""Those that are timed: each takes frames and gives a power spectrum."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

from ase import Atoms

from anisweep.descriptors import EllipsoidalDensityProjection
from anisweep.descriptors.gradients import gradients

Function = Callable[[list[Atoms]], Any]

CUTOFF, WIDTH = 7.0, 1.5


def hypers(lmax: int, max_radial: int | None) -> dict[str, Any]:
    """Arguments of both projections, which have the same constructor."""
    return {
        "max_angular": lmax,
        "radial_basis_name": "gto",
        "cutoff_radius": CUTOFF,
        "radial_gaussian_width": WIDTH,
        "max_radial": max_radial,
        "rotation_key": "c_q",
        "basis_rcond": 1e-8,
        "basis_tol": 1e-3,
    }


def projection(lmax: int, max_radial: int | None, threads: int = 1) -> EllipsoidalDensityProjection:
    """Ours."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return EllipsoidalDensityProjection(**hypers(lmax, max_radial), threads=threads)


def ours(lmax: int, max_radial: int | None, threads: int = 1) -> Function:
    return projection(lmax, max_radial, threads).power_spectrum


def our_coefficients(lmax: int, max_radial: int | None) -> Function:
    ours = projection(lmax, max_radial)
    return lambda frames: ours.describe(frames, "coefficients", per_centre=True).values


def our_forces(lmax: int, max_radial: int | None) -> Function:
    """Energies, forces, torques and stress of a linear model."""
    ours = projection(lmax, max_radial)
    return lambda frames: gradients(ours, frames, 1.0)[1]


def published(lmax: int, max_radial: int | None) -> Function:
    """The published anisoap 0.1.1."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from anisoap.representations import EllipsoidalDensityProjection as Published

        projection = Published(**hypers(lmax, max_radial))
    return projection.power_spectrum  # type: ignore[no-any-return]


def featomic_soap(lmax: int, max_radial: int | None) -> Function:
    """featomic's isotropic SOAP of the same size: what a fast package does with the easier problem."""
    from featomic import SoapPowerSpectrum

    calculator = SoapPowerSpectrum(
        cutoff={"radius": CUTOFF, "smoothing": {"type": "Step"}},
        density={"type": "Gaussian", "width": 0.5},
        basis={
            "type": "TensorProduct",
            "max_angular": lmax,
            "radial": {"type": "Gto", "max_radial": lmax // 2 if max_radial is None else max_radial},
        },
    )
    return lambda frames: calculator.compute(frames)
