"""Write descriptors as products of three one-dimensional moments and one well-conditioned matrix.

Let h_p be the Hermite polynomials that are orthonormal under exp(-t^2), without their factor pi^(-1/4). In
the ordered polynomials of `RadialBasis.ordered` each power is :x^p: = s^p sqrt(p! / 2^p) h_p(x / s), and a
Gaussian with diagonal covariance factorises, so

    E[:x^p y^q z^r:] ~ E[h_p(x / s)] E[h_q(y / s)] E[h_r(z / s)],

and coefficients are one matrix times these products. For the GTO basis with s = sigma, products and
coefficients are overlaps with the Cartesian and with the spherical states of a harmonic oscillator. Both sets
are orthonormal, so the matrix loses no digits.

An entry is zero unless both sides have the same parity along x, y and z: there are up to eight blocks.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from itertools import product
from math import comb, factorial, sqrt

import numpy as np

from anisweep.descriptors.harmonics import norm
from anisweep.descriptors.radial_basis import RadialBasis

Power = tuple[int, int, int]


@dataclass(frozen=True)
class ParityBlock:
    """Hold the features of one parity.

    Attributes
    ----------
    powers : (3, products) p, q and r of each product
    columns : (features,) where they stand among all features, which run l, m, n
    matrix : (products, features)
    """

    powers: np.ndarray
    columns: np.ndarray
    matrix: np.ndarray


@lru_cache(maxsize=16)
def oscillator(radial: RadialBasis) -> tuple[ParityBlock, ...]:
    """Return the matrix of a basis: a block for each parity."""
    mixing = [_mixing(radial, l) for l in range(radial.lmax + 1)]
    first = np.cumsum([0, *((2 * l + 1) * count for l, count in enumerate(radial.counts))])

    blocks = []
    for parity in product((0, 1), repeat=3):
        harmonics = [
            (l, m) for l in range(radial.lmax + 1) for m in range(-l, l + 1) if _parity(l, m) == parity
        ]
        if harmonics:
            blocks.append(_block(harmonics, mixing, first))

    return tuple(blocks)


def _parity(l: int, m: int) -> Power:
    """Return the parity of a real harmonic under inversion of x, of y and of z."""
    odd = int(m < 0)
    return (abs(m) - odd) % 2, odd, (l - abs(m)) % 2


def _block(harmonics: list[tuple[int, int]], mixing: list[np.ndarray], first: np.ndarray) -> ParityBlock:
    columns, sums = [], []

    for l, m in harmonics:
        polynomials = [_wick(l, m, k) for k in range(len(mixing[l]))]
        for n in range(len(mixing[l])):
            columns.append(first[l] + (l + m) * len(mixing[l]) + n)
            sums.append(
                {p: c * mixing[l][k, n] for k, poly in enumerate(polynomials) for p, c in poly.items()}
            )

    powers = sorted({power for terms in sums for power in terms})
    place = {power: i for i, power in enumerate(powers)}
    matrix = np.zeros((len(powers), len(columns)))
    for column, terms in enumerate(sums):
        for power, value in terms.items():
            matrix[place[power], column] = value

    return ParityBlock(np.ascontiguousarray(np.array(powers).T), np.array(columns), matrix)


def _mixing(radial: RadialBasis, l: int) -> np.ndarray:
    """Return the matrix (k, n) from :r^2k S_lm: / s^(l + 2k) to the orthonormal function n."""
    powers = radial.scale ** (l + 2.0 * np.arange(radial.counts[l]))
    mixing: np.ndarray = powers[:, None] * radial.ordered(l, radial.exact_mixing(l))
    return mixing


@lru_cache(maxsize=4096)
def _wick(l: int, m: int, k: int) -> dict[Power, float]:
    """Expand :r^2k R_lm: / s^(l + 2k) in products of h_p, h_q, h_r, with the real orthonormal R_lm."""
    part = int(m < 0)
    terms: dict[Power, float] = {}

    for j, share in _in_z(l, abs(m), k).items():
        r = l + 2 * k - abs(m) - 2 * j
        for p, value in enumerate(_planar(j, abs(m))[part]):
            if value:
                q = 2 * j + abs(m) - p
                weight = sqrt(Fraction(factorial(p) * factorial(q) * factorial(r), 2 ** (p + q + r)))
                terms[p, q, r] = float(share * value) * weight * norm(l, m)
    return terms


def _in_z(l: int, m: int, k: int) -> dict[int, Fraction]:
    """Return the coefficients of (x^2 + y^2)^j z^(l + 2k - m - 2j) (x + iy)^m in r^2k S_lm."""
    terms: dict[int, Fraction] = {}

    for i in range((l - m) // 2 + 1):
        below = 2 ** (m + 2 * i) * factorial(m + i) * factorial(i) * factorial(l - m - 2 * i)
        for j in range(k + 1):
            share = Fraction((-1) ** i * factorial(l + m) * comb(k, j), below)
            terms[i + j] = terms.get(i + j, Fraction(0)) + share
    return terms


@lru_cache(maxsize=1024)
def _planar(j: int, m: int) -> tuple[list[int], list[int]]:
    """Return real and imaginary part of (x^2 + y^2)^j (x + iy)^m: coefficients of x^p y^(2j + m - p)."""
    parts = [0] * (2 * j + m + 1), [0] * (2 * j + m + 1)

    for i in range(j + 1):
        for t in range(m + 1):
            parts[t % 2][2 * (j - i) + m - t] += comb(j, i) * comb(m, t) * (1 if t % 4 < 2 else -1)
    return parts
