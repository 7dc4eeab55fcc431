"""Multiply AniSOAP's coefficients by products of three kinds: Clebsch-Gordan's, Gaunt's and its own.

Each centre is an item. Products of all paths take two vectors of coefficients, up to degree L = max_angular:
those of the first radial function, and the sum over all. AniSOAP's own is the part of degree 0, of all pairs
of channels. Coefficients are computed before, so that times are those of products alone.
"""

from __future__ import annotations

import tracemalloc
from dataclasses import dataclass
from typing import Any

import numpy as np

from anisweep.modes import Timer
from anisweep.tasks._coupling import columns, harmonics_at, is_even, paths, sphere, turn
from anisweep.tasks._learning import projection_for
from anisweep.tasks._products import PRODUCTS, ROUNDING, TURNED, ProductItems, TensorProduct

MODES = {
    "cg_loop": "Clebsch-Gordan's product, path by path",
    "cg_dense": "Clebsch-Gordan's product, all paths as one dense matrix",
    "cg_sparse": "Clebsch-Gordan's product, all paths as one sparse matrix of SciPy",
    "gaunt_dense": "Gaunt's product as one dense matrix, of Clebsch-Gordan's coefficients",
    "gaunt_grid": "Gaunt's product on a grid of the sphere",
    "gaunt_fourier": "Gaunt's product by Fourier series in both angles",
    "gemm_l0": "AniSOAP's product of degree 0, a matrix product for each l",
    "loop_l0": "AniSOAP's product of degree 0, pair by pair of channels, all centres at a time",
    "loop_l0_centres": "AniSOAP's product of degree 0, pair by pair of channels and centre by centre",
}
PRECISIONS = ("fp64",)
DEVICES = ("cpu",)
SAME_RESULT = False
RESULTS = {
    "paths": "degrees (l1, l2, l3) that the product couples",
    "freedoms": "weights of an equivariant product of this kind that are independent",
    "outputs": "numbers that the product gives, an item",
    "multiply_adds": "multiply-adds, an item",
    "bytes": "bytes of inputs and of all that is allocated at a time, an item, tables aside",
    "equivariance_error": "turned inputs against turned outputs, largest |difference| / max |output|",
    "error": "against Clebsch-Gordan's coefficients, and for degree 0 against the library's power spectrum",
    "odd_paths": "paths of odd sum in the integrals over the grid",
    "odd_entry": "largest integral of odd sum over the grid / largest of all",
}
RESULTS_S = 0.1


@dataclass(frozen=True)
class _ProductCalculator:
    """Hold the items, a product, and what it should give."""

    mode: str
    highest: int
    items: ProductItems
    product: TensorProduct
    expected: np.ndarray


def prepare(mode: str, hypers: Any, precision: str, device: str, frames: list[Any]) -> _ProductCalculator:
    """Return the coefficients of all centres and the tables of a product."""
    projection = projection_for(hypers)
    coefficients = projection.describe(frames, "coefficients", per_centre=True)
    count, highest = len(coefficients.values), hypers.max_angular

    channels = [coefficients.of_degree(l).reshape(count, 2 * l + 1, -1) for l in range(highest + 1)]
    left = np.concatenate([part[:, :, 0] for part in channels], axis=1)
    right = np.concatenate([part.sum(axis=2) for part in channels], axis=1)
    items = ProductItems(left, right, channels)

    if mode.endswith(("_l0", "_centres")):
        expected = projection.describe(frames, "power_spectrum", per_centre=True).values
    else:
        expected = PRODUCTS[f"{mode.partition('_')[0]}_dense"](items).apply(items)
    return _ProductCalculator(mode, highest, items, PRODUCTS[mode](items), expected)


def compute(calculator: _ProductCalculator, frames: list[Any], clock: Timer) -> np.ndarray:
    """Return the products of all items, of the frames that were prepared with."""
    with clock.stage("product"):
        products: np.ndarray = calculator.product.apply(calculator.items)
        return products


def results(calculator: _ProductCalculator, frames: list[Any]) -> dict[str, float]:
    """Return sizes and errors of a product."""
    items, way = calculator.items, calculator.product
    values = way.apply(items)
    turned = turn(values[:TURNED], way.degrees)

    found = {
        "paths": way.paths,
        "freedoms": way.freedoms,
        "outputs": values.shape[1],
        "multiply_adds": way.multiply_adds,
        "bytes": _bytes(calculator),
        "equivariance_error": _error(way.apply(items.turned()), turned),
        "error": _error(values, calculator.expected),
    }
    if calculator.mode == "gaunt_grid":
        found |= _odd(calculator.highest)
    return {name: float(value) for name, value in found.items()}


def _error(values: np.ndarray, reference: np.ndarray) -> float:
    return float(np.abs(values - reference).max() / np.abs(reference).max())


def _bytes(calculator: _ProductCalculator) -> float:
    """Return the bytes of inputs and of all that is alive at once while multiplying, an item."""
    items = calculator.items
    degree_0 = calculator.product.paths == len(items.channels)
    inputs = items.channels if degree_0 else [items.left, items.right]

    tracemalloc.start()
    calculator.product.apply(items)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    return (peak + sum(array.nbytes for array in inputs)) / len(items.left)


def _odd(highest: int) -> dict[str, float]:
    """Return how many paths of odd sum the integrals over the grid have, and the largest of these."""
    points, weights = sphere(highest)
    values = harmonics_at(points, 2 * highest)
    integrals = np.einsum(
        "gi,gj,gk->ijk", *[values[:, : (highest + 1) ** 2]] * 2, values * weights[:, None], optimize=True
    )
    largest = np.abs(integrals).max()
    odd = [
        np.abs(integrals[tuple(map(columns, path))]).max() / largest
        for path in paths(highest)
        if not is_even(path)
    ]
    return {"odd_paths": sum(entry > ROUNDING for entry in odd), "odd_entry": max(odd, default=0.0)}
