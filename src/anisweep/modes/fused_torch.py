"""AniSweep's own formulation computes in Torch: all pairs at once, on the CPU or a GPU."""

from __future__ import annotations

from functools import partial
from typing import Any

import torch
from ase import Atoms

from anisweep.cell import Hypers, Output
from anisweep.descriptors.torch_backend import TorchProjection
from anisweep.modes import Timer, Unavailable, _fused, require

PRECISIONS = ("fp64", "fp32", "tf32", "bf16")
DEVICES = ("cpu", "cuda")


def prepare(hypers: Hypers, output: Output, precision: str, device: str) -> tuple[Any, Output]:
    """Return the projection, with its tables on the device."""
    require("precision", precision, PRECISIONS)
    require("device", device, DEVICES)

    if device == "cuda" and not torch.cuda.is_available():
        raise Unavailable("device cuda: Torch sees none on this machine")
    if device == "cpu" and precision == "tf32":
        raise Unavailable("precision tf32: it exists on cuda only")

    make = partial(TorchProjection, device=device, precision=precision, fused=False)
    return _fused.projection(make, hypers), output


def compute(calculator: tuple[Any, Output], frames: list[Atoms], clock: Timer) -> Any:
    """Return coefficients of any number of species, or the power spectrum of one."""
    return _fused.compute(calculator, frames, clock)
