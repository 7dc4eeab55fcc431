"""AniSOAP runs as published, with each of its einsum calls going NumPy -> Torch -> NumPy."""

from __future__ import annotations

import numpy as np
from ase import Atoms
from metatensor import TensorMap

from anisweep.cell import Hypers, Output
from anisweep.modes import Timer, _mixed, require

PRECISIONS = ("fp64", "fp32")
DEVICES = ("cpu",)


def prepare(hypers: Hypers, output: Output, precision: str, device: str) -> _mixed.Calculator:
    """Return the package's calculator, and the type of number that its contractions run in."""
    require("precision", precision, PRECISIONS)
    require("device", device, DEVICES)
    return _mixed.prepare(hypers, output, precision)


def compute(calculator: _mixed.Calculator, frames: list[Atoms], clock: Timer) -> TensorMap | np.ndarray:
    """Return coefficients of any number of species, or the power spectrum of one, in float64."""
    return _mixed.compute(calculator, frames, clock)
