"""Compute real solid harmonics: their normalisation, and the matrices of the exchange of y and z."""

from __future__ import annotations

from functools import lru_cache
from math import factorial, pi, sqrt

import numpy as np


def norm(l: int, m: int) -> float:
    """Return the factor from r^l P_l^|m| e^(i m phi), P_mm = (2m - 1)!!, to the real orthonormal r^l Y_lm."""
    m = abs(m)
    return sqrt((2 * l + 1) / (4 * pi) * factorial(l - m) / factorial(l + m)) * (sqrt(2) if m else 1)


def solid_harmonics(l: int, points: np.ndarray) -> np.ndarray:
    """Return r^l Y_lm at points (count, 3): (count, 2 l + 1), m from -l to l."""
    z = points[:, 2]
    planar = points[:, 0] + 1j * points[:, 1]
    squared = (points * points).sum(1)
    values = np.zeros((len(points), 2 * l + 1))

    for m in range(l + 1):
        odd = float(np.prod(np.arange(1.0, 2 * m, 2)))
        now, before = odd * planar**m, np.zeros(len(points), complex)

        for k in range(m + 1, l + 1):
            now, before = ((2 * k - 1) * z * now - (k - 1 + m) * squared * before) / (k - m), now

        values[:, l + m] = now.real * norm(l, m)
        if m:
            values[:, l - m] = now.imag * norm(l, m)

    return values


@lru_cache(maxsize=64)
def swap(l: int) -> np.ndarray:
    """Return the matrix J with R_lm(x, z, y) = sum_m' J[m, m'] R_lm'(x, y, z).

    With it a rotation about y is one about z between two J's, and a rotation about z is diagonal. J is
    symmetric and its own inverse; three quarters of its entries vanish.
    """
    points = np.random.default_rng(l).normal(size=(12 * (2 * l + 1) + 40, 3))
    points /= np.linalg.norm(points, axis=1)[:, None]

    plain, swapped = solid_harmonics(l, points), solid_harmonics(l, points[:, [0, 2, 1]])
    matrix = np.linalg.lstsq(plain, swapped, rcond=None)[0].T
    matrix = (matrix + matrix.T) / 2
    matrix[np.abs(matrix) < 1e-12] = 0

    for _ in range(2):  # Newton's step to the nearest matrix that is its own inverse
        matrix = 1.5 * matrix - 0.5 * matrix @ matrix @ matrix

    matrix[np.abs(matrix) < 1e-13] = 0
    swapping: np.ndarray = matrix
    return swapping


def swap_blocks(l: int) -> list[tuple[np.ndarray, np.ndarray]]:
    """Return the rows and columns of the dense blocks of J: up to four."""
    m = np.arange(-l, l + 1)
    x_parity = (np.abs(m) - (m < 0)) % 2
    y_parity = (m < 0) % 2
    z_parity = (l - np.abs(m)) % 2

    blocks = []
    for x in (0, 1):
        for parity in (0, 1):
            rows = np.flatnonzero((x_parity == x) & (z_parity == parity))
            columns = np.flatnonzero((x_parity == x) & (y_parity == parity))
            if len(rows) and len(columns):
                blocks.append((rows, columns))
    return blocks
