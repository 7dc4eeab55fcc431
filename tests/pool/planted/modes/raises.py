"""A mode for tests that fails on the power spectrum of four species, and nowhere else."""

from __future__ import annotations

from typing import Any

import numpy as np
from ase import Atoms

from anisweep.cell import Hypers, Output
from anisweep.modes import Timer

PRECISIONS = ("fp64",)
DEVICES = ("cpu",)


def prepare(hypers: Hypers, output: Output, precision: str, device: str) -> Output:
    """Remember what is to be computed."""
    return output


def compute(calculator: Output, frames: list[Atoms], clock: Timer) -> np.ndarray[Any, Any]:
    """Shape (frames, 3)."""
    if calculator == "power_spectrum" and len(set(frames[0].numbers)) == 4:
        raise ArithmeticError("four species are too many")

    with clock.stage("setup"):
        return np.array([np.cos(frame.positions).sum(axis=0) for frame in frames])
