"""AniSweep's own formulation computes in Torch, with moments and contraction in one Triton kernel."""

from __future__ import annotations

from functools import partial
from typing import Any

import torch
from ase import Atoms

from anisweep.cell import Hypers, Output
from anisweep.descriptors.torch_backend import TorchProjection
from anisweep.modes import Timer, Unavailable, _fused, require

PRECISIONS = ("fp64", "fp32", "tf32")
DEVICES = ("cuda",)


def prepare(hypers: Hypers, output: Output, precision: str, device: str) -> tuple[Any, Output]:
    """Return the projection, with its tables on the device; the first call compiles the kernels."""
    require("precision", precision, PRECISIONS)
    require("device", device, DEVICES)

    if not torch.cuda.is_available():
        raise Unavailable("device cuda: Torch sees none on this machine")

    make = partial(TorchProjection, device=device, precision=precision, fused=True)
    try:
        return _fused.projection(make, hypers), output
    except ImportError as error:
        raise Unavailable(str(error)) from None


def compute(calculator: tuple[Any, Output], frames: list[Atoms], clock: Timer) -> Any:
    """Return coefficients of any number of species, or the power spectrum of one."""
    return _fused.compute(calculator, frames, clock)
