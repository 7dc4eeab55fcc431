"""Define the packages that are timed; each takes frames and returns features."""

from __future__ import annotations

import os
import warnings
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from anisweep.descriptors import EllipsoidalDensityProjection
from anisweep.descriptors.gradients import gradients, tangent
from anisweep.descriptors.kernels.loader import VARIABLE
from anisweep.descriptors.kernels.run import WantedOutput, compute

if TYPE_CHECKING:  # a machine with a GPU may have no ASE
    from ase import Atoms

Function = Callable[["list[Atoms]"], Any]

#: lmax and max_radial.
Basis = tuple[int, int | None]

CUTOFF, WIDTH = 7.0, 1.5


def hypers(basis: Basis) -> dict[str, Any]:
    """Arguments of both projections, which have the same constructor."""
    return {
        "max_angular": basis[0],
        "radial_basis_name": "gto",
        "cutoff_radius": CUTOFF,
        "radial_gaussian_width": WIDTH,
        "max_radial": basis[1],
        "rotation_key": "c_q",
        "basis_rcond": 1e-8,
        "basis_tol": 1e-3,
    }


def projection(basis: Basis, **other: Any) -> EllipsoidalDensityProjection:
    """Ours."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return EllipsoidalDensityProjection(**hypers(basis) | other)


def ours(basis: Basis, **other: Any) -> Function:
    """Our power spectrum, of frames or of arrays."""
    return projection(basis, **other).power_spectrum


def our_coefficients(basis: Basis) -> Function:
    ours = projection(basis)
    return lambda frames: ours.describe(frames, "coefficients", per_centre=True).values


def our_forces(basis: Basis, **other: Any) -> Function:
    """Energies, forces, torques and stress of a linear model."""
    ours = projection(basis, **other)
    return lambda frames: gradients(ours, frames, 1.0)[1]


def our_changes(basis: Basis) -> Function:
    """What all features change by when each particle moves and turns."""
    ours = projection(basis)

    def function(frames: list[Atoms]) -> Any:
        steps = np.ones((sum(map(len, frames)), 3))
        return tangent(ours, frames, steps, steps)

    return function


def at_level(basis: Basis, level: str) -> Function:
    """Ours with the instructions of another level."""
    ours = projection(basis)

    def function(frames: list[Atoms]) -> Any:
        os.environ[VARIABLE] = level
        try:
            return ours.power_spectrum(frames)
        finally:
            del os.environ[VARIABLE]

    return function


def kernels_alone(basis: Basis, frames: list[Atoms], threads: int) -> Callable[[], Any]:
    """The compiled part, with frames read before."""
    ours = projection(basis)
    arrays = ours.gather(frames)
    species = arrays.species
    wanted = WantedOutput("power_spectrum", per_centre=False, self_pairs=True)
    return lambda: compute(ours.tables, arrays, species, wanted, threads)


def published(basis: Basis) -> Function:
    """The published anisoap 0.1.1."""
    return _published(basis).power_spectrum  # type: ignore[no-any-return]


def published_coefficients(basis: Basis) -> Function:
    return _published(basis).transform  # type: ignore[no-any-return]


def _published(basis: Basis) -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from anisoap.representations import EllipsoidalDensityProjection as Published

        return Published(**hypers(basis))


def torch_full(basis: Basis, device: str = "cpu") -> Function:
    """The published algorithm in Torch, as in the studies."""
    import torch

    from anisweep.cell import Hypers
    from anisweep.modes import torch_full as mode
    from anisweep.worker.clock import Silent

    torch.set_num_threads(1)
    given = {name: value for name, value in hypers(basis).items() if name != "rotation_key"}
    calculator = mode.prepare(Hypers(**given), "power_spectrum", "fp64", device)
    return lambda frames: mode.compute(calculator, frames, Silent())


def featomic_soap(basis: Basis) -> Function:
    """featomic's isotropic SOAP of the same size: what a fast package does with the easier problem."""
    from featomic import SoapPowerSpectrum

    lmax, max_radial = basis
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
