"""Multiply coefficients of many centres, in the ways that the task on tensor products compares."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import product
from math import log2, prod, sqrt

import numpy as np

from anisweep.tasks._coupling import (
    columns,
    coupling,
    gaunt,
    harmonics_at,
    is_even,
    paths,
    sphere,
    torus,
    turn,
)

#: Entries below this, of numbers of order one, are zero.
ROUNDING = 1e-12

#: For equivariance so many items are enough.
TURNED = 50


@dataclass(frozen=True)
class ProductItems:
    """Hold coefficients of each centre.

    Attributes
    ----------
    left, right : (items, (L + 1)^2)
    channels : for each l (items, 2l + 1, channels)
    """

    left: np.ndarray
    right: np.ndarray
    channels: list[np.ndarray]

    def turned(self) -> ProductItems:
        """Return the first items, turned."""
        degrees = list(range(len(self.channels)))
        left, right = (turn(side[:TURNED], degrees) for side in (self.left, self.right))
        channels = [
            np.stack([turn(part[:TURNED, :, k], [l]) for k in range(part.shape[2])], axis=2)
            for l, part in enumerate(self.channels)
        ]
        return ProductItems(left, right, channels)


@dataclass(frozen=True)
class TensorProduct:
    """Hold a way to multiply; its cost is of one item.

    Attributes
    ----------
    apply : gives (items, outputs)
    degrees : those of the runs of outputs
    paths : degrees (l1, l2, l3) that it couples
    freedoms : independent weights of an equivariant product of this kind
    """

    apply: Callable[[ProductItems], np.ndarray]
    degrees: list[int]
    paths: int
    freedoms: int
    multiply_adds: int


def _outer(items: ProductItems) -> np.ndarray:
    """Return all products of two components, (items, (L + 1)^4)."""
    pairs: np.ndarray = items.left[:, :, None] * items.right[:, None, :]
    return pairs.reshape(len(pairs), -1)


def _cg_matrix(highest: int) -> tuple[np.ndarray, list[int]]:
    """Return the matrix ((L + 1)^4, outputs) of all paths, and the degree of each path's outputs."""
    size = (highest + 1) ** 2
    all_paths = paths(highest)
    parts = []

    for path in all_paths:
        part = np.zeros((size, size, 2 * path[2] + 1))
        part[columns(path[0]), columns(path[1])] = coupling(path)
        parts.append(part.reshape(size * size, -1))
    return np.concatenate(parts, axis=1), [path[2] for path in all_paths]


def _cg(apply: Callable[[ProductItems], np.ndarray], degrees: list[int], multiply_adds: int) -> TensorProduct:
    return TensorProduct(apply, degrees, len(degrees), len(degrees), multiply_adds)


def _cg_loop(items: ProductItems) -> TensorProduct:
    tables = [(path, coupling(path)) for path in paths(len(items.channels) - 1)]

    def apply(items: ProductItems) -> np.ndarray:
        parts = []
        for (a, b, _), table in tables:
            pairs = items.left[:, columns(a), None] * items.right[:, None, columns(b)]
            parts.append(pairs.reshape(len(pairs), -1) @ table.reshape(-1, table.shape[2]))
        return np.concatenate(parts, axis=1)

    multiply_adds = sum(table.size + prod(table.shape[:2]) for _, table in tables)
    return _cg(apply, [path[2] for path, _ in tables], multiply_adds)


def _cg_dense(items: ProductItems) -> TensorProduct:
    matrix, degrees = _cg_matrix(len(items.channels) - 1)
    return _cg(lambda items: _outer(items) @ matrix, degrees, matrix.size + len(matrix))


def _cg_sparse(items: ProductItems) -> TensorProduct:
    from scipy.sparse import csr_array

    matrix, degrees = _cg_matrix(len(items.channels) - 1)
    matrix[np.abs(matrix) < ROUNDING] = 0
    table = csr_array(matrix.T)

    def apply(items: ProductItems) -> np.ndarray:
        left, right = (np.ascontiguousarray(side.T) for side in (items.left, items.right))
        pairs = (left[:, None] * right[None]).reshape(-1, left.shape[1])
        return np.asarray((table @ pairs).T)

    return _cg(apply, degrees, table.nnz + len(matrix))


def _gaunt(apply: Callable[[ProductItems], np.ndarray], highest: int, multiply_adds: int) -> TensorProduct:
    """Return a product whose weights are those of l1, l2 and l3, and so of fewer freedoms than paths."""
    even = [path for path in paths(highest) if is_even(path)]
    factors = np.zeros((len(even), 3, 2 * highest + 1))
    for row, path in enumerate(even):
        factors[row, [0, 1, 2], path] = 1

    freedoms = int(np.linalg.matrix_rank(factors.reshape(len(even), -1)))
    return TensorProduct(apply, list(range(2 * highest + 1)), len(even), freedoms, multiply_adds)


def _gaunt_dense(items: ProductItems) -> TensorProduct:
    highest = len(items.channels) - 1
    size = (highest + 1) ** 2
    table = np.zeros((size, size, (2 * highest + 1) ** 2))
    for path in paths(highest):
        table[tuple(map(columns, path))] = gaunt(path)

    matrix = table.reshape(size * size, -1)
    return _gaunt(lambda items: _outer(items) @ matrix, highest, matrix.size + len(matrix))


def _gaunt_grid(items: ProductItems) -> TensorProduct:
    highest = len(items.channels) - 1
    points, weights = sphere(highest)
    values = harmonics_at(points, 2 * highest)
    into = np.ascontiguousarray(values[:, : (highest + 1) ** 2].T)
    back = values * weights[:, None]

    def apply(items: ProductItems) -> np.ndarray:
        products: np.ndarray = ((items.left @ into) * (items.right @ into)) @ back
        return products

    return _gaunt(apply, highest, 2 * into.size + len(points) + back.size)


def _gaunt_fourier(items: ProductItems) -> TensorProduct:
    highest = len(items.channels) - 1
    directions, length = torus(highest), 4 * highest + 1
    shape = (length, length)

    # A harmonic of degree l has the frequencies -l to l; that of a product has room for twice as many.
    waves = np.fft.rfft2(harmonics_at(directions, highest).T.reshape(-1, *shape))[:, :, : highest + 1]
    kept = np.r_[: highest + 1, -highest:0]
    into = waves[:, kept].reshape(len(waves), -1)
    back = np.linalg.pinv(harmonics_at(directions, 2 * highest).T)

    def samples(side: np.ndarray) -> np.ndarray:
        spectrum = np.zeros((len(side), length, length // 2 + 1), dtype=complex)
        spectrum[:, kept, : highest + 1] = (side @ into).reshape(len(side), len(kept), -1)
        return np.fft.irfft2(spectrum, shape)

    def apply(items: ProductItems) -> np.ndarray:
        on_torus = samples(items.left) * samples(items.right)
        products: np.ndarray = on_torus.reshape(len(on_torus), -1) @ back
        return products

    points = length**2
    transform = round(1.25 * points * log2(points))  # half of the usual count of a real one's operations
    return _gaunt(apply, highest, 4 * into.size + 2 * transform + points + back.size)


def _degree_0(items: ProductItems, of_degree: Callable[[np.ndarray], np.ndarray]) -> TensorProduct:
    """Return AniSOAP's product, made for each l of (items, 2l + 1, channels)."""

    def apply(items: ProductItems) -> np.ndarray:
        parts = [(-1) ** l / sqrt(2 * l + 1) * of_degree(part) for l, part in enumerate(items.channels)]
        return np.concatenate([part.reshape(len(part), -1) for part in parts], axis=1)

    sizes = [part.shape[1:] for part in items.channels]
    outputs = sum(count**2 for _, count in sizes)
    freedoms = sum(count * (count + 1) // 2 for _, count in sizes)
    multiply_adds = sum(size * count**2 for size, count in sizes)
    return TensorProduct(apply, [0] * outputs, len(sizes), freedoms, multiply_adds)


def _gemm_l0(items: ProductItems) -> TensorProduct:
    return _degree_0(items, lambda part: np.matmul(part.transpose(0, 2, 1), part))


def _loop_l0(items: ProductItems) -> TensorProduct:
    def of_degree(part: np.ndarray) -> np.ndarray:
        channels = part.shape[2]
        out = np.empty((len(part), channels, channels))
        for a, b in product(range(channels), repeat=2):
            out[:, a, b] = (part[:, :, a] * part[:, :, b]).sum(axis=1)
        return out

    return _degree_0(items, of_degree)


def _loop_l0_centres(items: ProductItems) -> TensorProduct:
    def of_degree(part: np.ndarray) -> np.ndarray:
        channels = part.shape[2]
        out = np.empty((len(part), channels, channels))
        for item, a, b in product(range(len(part)), range(channels), range(channels)):
            out[item, a, b] = part[item, :, a] @ part[item, :, b]
        return out

    return _degree_0(items, of_degree)


#: By the names of modes.
PRODUCTS: dict[str, Callable[[ProductItems], TensorProduct]] = {
    "cg_loop": _cg_loop,
    "cg_dense": _cg_dense,
    "cg_sparse": _cg_sparse,
    "gaunt_dense": _gaunt_dense,
    "gaunt_grid": _gaunt_grid,
    "gaunt_fourier": _gaunt_fourier,
    "gemm_l0": _gemm_l0,
    "loop_l0": _loop_l0,
    "loop_l0_centres": _loop_l0_centres,
}
