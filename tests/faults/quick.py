"""Sums over positions: a mode for tests, which imports neither AniSOAP nor Torch."""

from __future__ import annotations

from typing import Any

import numpy as np
from ase import Atoms

from anisweep.cell import Hypers, Output
from anisweep.modes import Timer

PRECISIONS = ("fp64",)
DEVICES = ("cpu",)


def prepare(hypers: Hypers, output: Output, precision: str, device: str) -> Hypers:
    """There is nothing to prepare."""
    return hypers


def compute(calculator: Hypers, frames: list[Atoms], clock: Timer) -> np.ndarray[Any, Any]:
    """Shape (frames, 3)."""
    with clock.stage("setup"):
        return np.array([np.cos(frame.positions).sum(axis=0) for frame in frames])
