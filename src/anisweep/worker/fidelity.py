"""Compare the result of each cell with that of the reference, relative to max |reference|."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Any

import numpy as np

from anisweep.cell import Cell

#: Numbers that an artifact keeps of each cell.
KEPT = 2**16


@dataclass(frozen=True)
class Flat:
    """Hold a result as one vector, in an order that does not depend on who made it.

    Attributes
    ----------
    values : shape (n,)
    frame : shape (n,), the frame that each value belongs to
    labels : digest of keys, samples, components and properties
    dtype : of the numbers as the mode gave them
    """

    values: np.ndarray
    frame: np.ndarray
    labels: str
    dtype: str

    def first_frames(self) -> np.ndarray:
        """Return the values of as many whole frames, from the first, as an artifact keeps."""
        if len(self.values) <= KEPT:
            return self.values

        counts = np.bincount(self.frame)
        whole = max(1, int(np.searchsorted(np.cumsum(counts), KEPT, side="right")))
        return self.values[self.frame < whole]


def flatten(result: Any) -> Flat:
    """Flatten an array, or a TensorMap block by block in the order of its sorted keys and labels."""
    if isinstance(result, np.ndarray):
        result = result if result.ndim == 2 else result.reshape(1, -1)
        frames, features = result.shape
        frame = np.repeat(np.arange(frames), features)
        return Flat(np.ascontiguousarray(result).ravel(), frame, f"array {result.shape}", str(result.dtype))

    labels = hashlib.sha256(repr(result.keys.names).encode())
    values, frames = [], []
    order = np.lexsort(np.asarray(result.keys.values).T[::-1])

    for index in order:
        block = result.block(int(index))
        samples = np.asarray(block.samples.values)
        properties = np.asarray(block.properties.values)
        rows = np.lexsort(samples.T[::-1])
        columns = np.lexsort(properties.T[::-1])

        labels.update(np.ascontiguousarray(result.keys.values[index]).tobytes())
        labels.update(repr((block.samples.names, block.components, block.properties.names)).encode())
        labels.update(np.ascontiguousarray(samples[rows]).tobytes())
        labels.update(np.ascontiguousarray(properties[columns]).tobytes())

        sorted_block = np.asarray(block.values)[rows][..., columns]
        values.append(sorted_block.ravel())
        frames.append(np.repeat(samples[rows, 0], sorted_block[0].size))

    flat = np.concatenate(values)
    return Flat(flat, np.concatenate(frames), labels.hexdigest(), str(flat.dtype))


@dataclass(frozen=True)
class Fidelity:
    """Say how a result differs from the reference's; ``complaint`` is empty when it counts as right."""

    max_relative_error: float | None
    elementwise: bool | None
    bound: float | None
    complaint: str


def bound_of(precision: str, max_angular: int) -> float | None:
    """Return the largest relative error that counts as right; half precisions have no bound."""
    if precision == "fp64":
        return 1e-10
    if precision == "fp32":
        return 5e-6 if max_angular <= 6 else 1e-3
    return None


def fidelity_of(result: Flat, reference: Flat, cell: Cell) -> Fidelity:
    """Compare a result with the reference's of the same problem."""
    bound = bound_of(cell.precision, cell.hypers.max_angular)

    if result.labels != reference.labels or result.values.shape != reference.values.shape:
        shapes = f"{result.values.shape} numbers, the reference has {reference.values.shape}"
        return Fidelity(None, None, bound, f"labels or shape differ from the reference's ({shapes})")

    if not np.isfinite(result.values).all():
        return Fidelity(None, False, bound, "the result holds NaN or infinity")

    if not np.isfinite(reference.values).all():
        return Fidelity(None, None, bound, "the reference's result holds NaN or infinity")

    values = result.values.astype(np.float64)
    scale = float(np.abs(reference.values).max()) or 1.0
    error = float(np.abs(values - reference.values).max()) / scale
    if not np.isfinite(error):
        return Fidelity(None, False, bound, "its difference from the reference is beyond all numbers")

    elementwise = bool(np.allclose(values, reference.values, rtol=1e-6, atol=1e-8))

    complaint = ""
    if bound is not None and error > bound:
        complaint = f"differs from the reference by {error:.2g} of the largest value; {bound:g} is allowed"
    elif cell.precision == "fp64" and not elementwise:
        complaint = "elements differ from the reference's beyond rtol 1e-6, atol 1e-8"

    return Fidelity(error, elementwise, bound, complaint)
