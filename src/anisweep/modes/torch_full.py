"""The published contractions, one per pair and l, run in Torch from the moments to the features."""

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
    """Contract each pair on its own, as the package and ``torch_mixed`` do."""
    sizes = [solid.shape[-1] for solid in solids]
    views = [moments[:, :size, :size, :size].unbind() for size in sizes]
    values: list[list[torch.Tensor]] = [[] for _ in solids]

    for pair in zip(*views, strict=True):
        for l, moments_l in enumerate(pair):
            values[l].append(einsum("mnpqr,pqr->mn", solids[l], moments_l))

    return [torch.stack(pairs) for pairs in values]
