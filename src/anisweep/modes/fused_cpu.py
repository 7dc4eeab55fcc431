"""AniSweep's own kernels compute on the CPU, in C."""

from __future__ import annotations

import os
from typing import Any

from ase import Atoms

from anisweep.cell import Hypers, Output
from anisweep.descriptors import EllipsoidalDensityProjection
from anisweep.modes import Timer, _fused, require

PRECISIONS = ("fp64", "fp32")
DEVICES = ("cpu",)


def prepare(hypers: Hypers, output: Output, precision: str, device: str) -> tuple[Any, Output]:
    """Return the projection, with the threads that the environment pins."""
    require("precision", precision, PRECISIONS)
    require("device", device, DEVICES)
    threads = int(os.environ.get("OMP_NUM_THREADS", "1"))
    more = {"threads": threads, "precision": precision}
    return _fused.projection(EllipsoidalDensityProjection, hypers, **more), output


def compute(calculator: tuple[Any, Output], frames: list[Atoms], clock: Timer) -> Any:
    """Return coefficients of any number of species, or the power spectrum of one."""
    return _fused.compute(calculator, frames, clock)
