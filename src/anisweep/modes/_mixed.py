"""Run the published package with each of its einsum calls going NumPy -> Torch -> NumPy."""

from __future__ import annotations

from functools import partial

import numpy as np
import torch
from ase import Atoms
from metatensor import TensorMap

from anisweep.cell import Hypers, Output
from anisweep.modes import Timer, _published
from anisweep.modes._tensors import DTYPES

Calculator = tuple[_published.Published, torch.dtype]


def prepare(hypers: Hypers, output: Output, precision: str) -> Calculator:
    """Return the package's calculator, and the type of number that its contractions run in."""
    return _published.Published(_published.projection(hypers), output), DTYPES[precision]


def compute(calculator: Calculator, frames: list[Atoms], clock: Timer) -> TensorMap | np.ndarray:
    """Return coefficients of any number of species, or the power spectrum of one, in float64."""
    published, dtype = calculator

    into_torch = clock.wrap("conv_in", partial(_into_torch, dtype))
    contract = clock.wrap("contraction", torch.einsum)
    into_numpy = clock.wrap("conv_out", _into_numpy)

    def einsum(subscripts: str, *operands: np.ndarray) -> np.ndarray:
        return into_numpy(contract(subscripts, *into_torch(operands)))

    with torch.inference_mode():
        return _published.compute(published, frames, clock, einsum)


def _into_torch(dtype: torch.dtype, operands: tuple[np.ndarray, ...]) -> list[torch.Tensor]:
    return [torch.from_numpy(operand).to(dtype) for operand in operands]


def _into_numpy(result: torch.Tensor) -> np.ndarray:
    """Return a tensor as an array of float64, the only type of number that the package holds."""
    return np.asarray(result.to(torch.float64))
