"""Sums over positions after a rest: a mode for tests, whose packs last long enough to be disturbed."""

from __future__ import annotations

import time
from typing import Any

import numpy as np
from ase import Atoms

from anisweep.cell import Hypers, Output
from anisweep.modes import Timer

PRECISIONS = ("fp64",)
DEVICES = ("cpu",)

REST_S = 5


def prepare(hypers: Hypers, output: Output, precision: str, device: str) -> Hypers:
    """Rest."""
    time.sleep(REST_S)
    return hypers


def compute(calculator: Hypers, frames: list[Atoms], clock: Timer) -> np.ndarray[Any, Any]:
    """Shape (frames, 3)."""
    with clock.stage("setup"):
        return np.array([np.cos(frame.positions).sum(axis=0) for frame in frames])
