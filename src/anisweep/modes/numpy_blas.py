"""AniSOAP runs as published, with the contraction of each pair as one call of NumPy's BLAS."""

from __future__ import annotations

from typing import Any

import numpy as np
from ase import Atoms
from metatensor import TensorMap

from anisweep.cell import Hypers, Output
from anisweep.modes import Timer, _published, require

PRECISIONS = ("fp64",)
DEVICES = ("cpu",)

#: The contraction of the package's pair loop. NumPy does it in a loop of its own, without BLAS.
_OF_A_PAIR = "mnpqr, pqr->mn"


def prepare(hypers: Hypers, output: Output, precision: str, device: str) -> _published.Published:
    """Return the package's calculator."""
    require("precision", precision, PRECISIONS)
    require("device", device, DEVICES)
    return _published.Published(_published.projection(hypers), output)


def compute(calculator: _published.Published, frames: list[Atoms], clock: Timer) -> TensorMap | np.ndarray:
    """Return coefficients of any number of species, or the power spectrum of one."""
    published = np.einsum

    def einsum(subscripts: str, *operands: np.ndarray, **options: Any) -> np.ndarray:
        if subscripts != _OF_A_PAIR:
            result: np.ndarray = published(subscripts, *operands, **options)
            return result
        return _matrix_times_vector(*operands)

    return _published.compute(calculator, frames, clock, clock.wrap("contraction", einsum))


def _matrix_times_vector(solid: np.ndarray, moments: np.ndarray) -> np.ndarray:
    """Contract a pair as a matrix times a vector, which NumPy does in one call of ``dgemv``."""
    m, n = solid.shape[:2]
    product: np.ndarray = solid.reshape(m * n, -1) @ moments.reshape(-1)
    return product.reshape(m, n)
