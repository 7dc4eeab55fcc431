"""Couple real spherical harmonics: by Clebsch-Gordan's coefficients, and by integrals over the sphere."""

from __future__ import annotations

from fractions import Fraction
from functools import lru_cache
from math import factorial, pi, sqrt

import numpy as np

from anisweep.descriptors.harmonics import solid_harmonics

#: Degrees of the two factors and of the product.
Path = tuple[int, int, int]


def columns(l: int) -> slice:
    """Return where the components of degree l are among those of all degrees."""
    return slice(l * l, (l + 1) ** 2)


def paths(highest: int) -> list[Path]:
    """Return all degrees (l1, l2, l3) that couple, l1 and l2 up to the highest."""
    degrees = range(highest + 1)
    return [(a, b, c) for a in degrees for b in degrees for c in range(abs(a - b), a + b + 1)]


def is_even(path: Path) -> bool:
    """Return True where the product keeps its sign under inversion, as products of functions do."""
    return sum(path) % 2 == 0


@lru_cache(maxsize=4096)
def coupling(path: Path) -> np.ndarray:
    """Return Clebsch-Gordan's coefficients of real harmonics, (2 l1 + 1, 2 l2 + 1, 2 l3 + 1)."""
    l1, l2, l3 = path
    table = np.zeros((2 * l1 + 1, 2 * l2 + 1, 2 * l3 + 1))

    for m1 in range(-l1, l1 + 1):
        for m2 in range(max(-l2, -l3 - m1), min(l2, l3 - m1) + 1):
            table[l1 + m1, l2 + m2, l3 + m1 + m2] = _clebsch_gordan(path, m1, m2)

    first, second, third = map(_real_from_complex, path)
    real = np.einsum("abc,ia,jb,kc->ijk", table, first.conj(), second.conj(), third, optimize=True)
    return np.ascontiguousarray(real.real if is_even(path) else real.imag)


def gaunt(path: Path) -> np.ndarray:
    """Return the integrals of three real harmonics, made of Clebsch-Gordan's coefficients."""
    l1, l2, l3 = path
    factor = sqrt((2 * l1 + 1) * (2 * l2 + 1) / (4 * pi * (2 * l3 + 1))) * _clebsch_gordan(path, 0, 0)
    return factor * coupling(path)


def sphere(highest: int) -> tuple[np.ndarray, np.ndarray]:
    """Return points (points, 3) and weights, exact for harmonics of degrees L, L and 2L, the highest L."""
    heights, weights = np.polynomial.legendre.leggauss(2 * highest + 1)
    turns = 2 * pi * np.arange(4 * highest + 1) / (4 * highest + 1)

    height, turn = (grid.ravel() for grid in np.meshgrid(heights, turns, indexing="ij"))
    planar = np.sqrt(1 - height**2)
    points = np.stack([planar * np.cos(turn), planar * np.sin(turn), height], axis=1)
    return points, np.repeat(weights * 2 * pi / len(turns), len(turns))


def torus(highest: int) -> np.ndarray:
    """Return directions (n^2, 3), n = 4L + 1, by whole turns of both angles, so that harmonics repeat."""
    turns = 2 * pi * np.arange(4 * highest + 1) / (4 * highest + 1)
    tilt, turn = (grid.ravel() for grid in np.meshgrid(turns, turns, indexing="ij"))
    return np.stack([np.sin(tilt) * np.cos(turn), np.sin(tilt) * np.sin(turn), np.cos(tilt)], axis=1)


def harmonics_at(points: np.ndarray, highest: int) -> np.ndarray:
    """Return all real harmonics up to a degree at unit vectors, (points, (highest + 1)^2)."""
    return np.concatenate([solid_harmonics(l, points) for l in range(highest + 1)], axis=1)


def turn(values: np.ndarray, degrees: list[int]) -> np.ndarray:
    """Return (items, components) turned by a fixed rotation; degrees are those of runs of components."""
    matrices = {l: _rotation(l) for l in set(degrees)}
    ends = np.cumsum([2 * l + 1 for l in degrees])[:-1]
    parts = np.split(values, ends, axis=1)
    return np.concatenate([part @ matrices[l] for part, l in zip(parts, degrees, strict=True)], axis=1)


def _rotation(l: int) -> np.ndarray:
    """Return the matrix by which components of degree l turn, found from harmonics at turned points."""
    rng = np.random.default_rng(7)
    axes, _ = np.linalg.qr(rng.normal(size=(3, 3)))
    points = rng.normal(size=(8 * l + 8, 3))
    points /= np.linalg.norm(points, axis=1)[:, None]

    plain, turned = solid_harmonics(l, points), solid_harmonics(l, points @ (axes * np.linalg.det(axes)))
    matrix: np.ndarray = np.linalg.lstsq(plain, turned, rcond=None)[0]
    return matrix.T


def _clebsch_gordan(path: Path, m1: int, m2: int) -> float:
    """Return Clebsch-Gordan's coefficient of complex harmonics, by Racah's formula with an exact sum."""
    (l1, l2, l3), m3, f = path, m1 + m2, factorial
    total = Fraction(0)

    for k in range(l1 + l2 - l3 + 1):
        below = (k, l1 + l2 - l3 - k, l1 - m1 - k, l2 + m2 - k, l3 - l2 + m1 + k, l3 - l1 - m2 + k)
        if min(below) >= 0:
            total += Fraction((-1) ** k, int(np.prod([f(each) for each in below], dtype=object)))

    triangle = Fraction(f(l3 + l1 - l2) * f(l3 - l1 + l2) * f(l1 + l2 - l3), f(l1 + l2 + l3 + 1))
    turns = f(l3 + m3) * f(l3 - m3) * f(l1 - m1) * f(l1 + m1) * f(l2 - m2) * f(l2 + m2)
    return float(total) * sqrt((2 * l3 + 1) * triangle * turns)


def _real_from_complex(l: int) -> np.ndarray:
    """Return the matrix from complex harmonics to real ones: sines at -m, cosines at m."""
    matrix = np.zeros((2 * l + 1, 2 * l + 1), dtype=complex)
    matrix[l, l] = 1

    for m in range(1, l + 1):
        sign = (-1) ** m / sqrt(2)
        matrix[l + m, l + m], matrix[l + m, l - m] = sign, 1 / sqrt(2)
        matrix[l - m, l + m], matrix[l - m, l - m] = -1j * sign, 1j / sqrt(2)
    return matrix
