"""AniSOAP runs as published, in NumPy."""

from __future__ import annotations

import numpy as np
from ase import Atoms
from metatensor import TensorMap

from anisweep.cell import Hypers, Output
from anisweep.modes import Timer, _published, require

PRECISIONS = ("fp64",)
DEVICES = ("cpu",)


def prepare(hypers: Hypers, output: Output, precision: str, device: str) -> _published.Published:
    """Return the package's calculator, which has no other precision than fp64."""
    require("precision", precision, PRECISIONS)
    require("device", device, DEVICES)
    return _published.Published(_published.projection(hypers), output)


def compute(calculator: _published.Published, frames: list[Atoms], clock: Timer) -> TensorMap | np.ndarray:
    """Return coefficients of any number of species, or the power spectrum of one."""
    return _published.compute(calculator, frames, clock, clock.wrap("contraction", np.einsum))
