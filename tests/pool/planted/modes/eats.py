"""A mode for tests that takes more memory than anybody asked for."""

from __future__ import annotations

import time
from typing import Any

import numpy as np
from ase import Atoms

from anisweep.cell import Hypers, Output
from anisweep.modes import Timer

PRECISIONS = ("fp64",)
DEVICES = ("cpu",)

#: More than a pack of one species asks for, less than an execute point has.
BYTES = 2400 * 2**20


def prepare(hypers: Hypers, output: Output, precision: str, device: str) -> Hypers:
    """There is nothing to prepare."""
    return hypers


def compute(calculator: Hypers, frames: list[Atoms], clock: Timer) -> np.ndarray[Any, Any]:
    """Shape (frames, 3)."""
    with clock.stage("setup"):
        eaten = np.ones(BYTES, dtype=np.int8)
        time.sleep(1)
        return np.array([np.cos(frame.positions).sum(axis=0) * eaten[0] for frame in frames])
