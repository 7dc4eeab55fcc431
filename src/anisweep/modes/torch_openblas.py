"""The calls of torch_mixed run with OpenBLAS in the place of Torch's MKL."""

from __future__ import annotations

# Before all that imports Torch, which finds the dgemm of this module first.
from anisweep.modes import _openblas

# isort: split
import numpy as np
import torch
from ase import Atoms
from metatensor import TensorMap

from anisweep.cell import Hypers, Output
from anisweep.modes import Timer, Unavailable, _mixed, require, require_environment

PRECISIONS = ("fp64",)
DEVICES = ("cpu",)
ENVIRONMENT = {"ANISWEEP_TORCH_BLAS": "openblas"}


def prepare(hypers: Hypers, output: Output, precision: str, device: str) -> _mixed.Calculator:
    """Return the calculator of torch_mixed, after a check that Torch's BLAS is really OpenBLAS."""
    require("precision", precision, PRECISIONS)
    require("device", device, DEVICES)
    require_environment(ENVIRONMENT)

    if _openblas.WHY_NOT:
        raise Unavailable(_openblas.WHY_NOT)
    _look_whose_blas_it_is()
    return _mixed.prepare(hypers, output, precision)


def compute(calculator: _mixed.Calculator, frames: list[Atoms], clock: Timer) -> TensorMap | np.ndarray:
    """Return coefficients of any number of species, or the power spectrum of one, in float64."""
    return _mixed.compute(calculator, frames, clock)


def _look_whose_blas_it_is() -> None:
    """Check that a contraction of the package's shape is one call of OpenBLAS's ``dgemm``."""
    before = _openblas.calls()
    torch.einsum("mnpqr,pqr->mn", torch.ones(3, 3, 6, 6, 6).double(), torch.ones(6, 6, 6).double())
    counted = _openblas.calls() - before

    if counted != 1:
        raise RuntimeError(f"Torch called the dgemm of OpenBLAS {counted} times in one contraction, not once")
