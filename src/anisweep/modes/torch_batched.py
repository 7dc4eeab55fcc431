"""The published contractions run in Torch, all pairs of a neighbour-list block at once."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch
from ase import Atoms
from metatensor import TensorMap

from anisweep.cell import Hypers, Output
from anisweep.modes import Timer, _tensors, require

PRECISIONS = ("fp64", "fp32")
DEVICES = ("cpu", "cuda")


def prepare(hypers: Hypers, output: Output, precision: str, device: str) -> _tensors.Calculator:
    """Return the package's tables as tensors."""
    require("precision", precision, PRECISIONS)
    require("device", device, DEVICES)
    return _tensors.prepare(hypers, output, precision, device)


def compute(calculator: _tensors.Calculator, frames: list[Atoms], clock: Timer) -> TensorMap | np.ndarray:
    """Return coefficients of any number of species, or the power spectrum of one."""
    return _tensors.compute(calculator, frames, clock, _contract)


def _contract(
    solids: list[torch.Tensor], moments: torch.Tensor, einsum: Callable[..., torch.Tensor]
) -> list[torch.Tensor]:
    """Contract once for each l, over all pairs of a block."""
    values = []

    for solid in solids:
        size = solid.shape[-1]
        values.append(einsum("mnpqr,bpqr->bmn", solid, moments[:, :size, :size, :size]))

    return values
