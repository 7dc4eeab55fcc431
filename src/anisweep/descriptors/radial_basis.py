"""Compute the radial basis and its orthonormalisation matrix, to the last digit of float64.

The overlap matrix of r^(l + 2n) functions is ill-conditioned (8e7 at l = 9 with seven functions), so its
inverse square root is computed with 50 decimal digits and rounded once. That needs a few milliseconds.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal, localcontext
from functools import lru_cache
from math import comb, sqrt
from typing import Any, Literal

import numpy as np

from anisweep.descriptors.errors import BadInput

Name = Literal["gto", "monomial"]

#: What entries of its matrices may reach, so that products with moments stay numbers.
RANGE = 1e250

ZERO = Decimal(0)
ONE = Decimal(1)
PI = Decimal("3.14159265358979323846264338327950288419716939937510582097494")


@dataclass(frozen=True)
class RadialBasis:
    """Define r^(l + 2n), times exp(-r^2 / 2 width^2) for ``gto``, orthonormalised for each l.

    Attributes
    ----------
    name : ``gto`` or ``monomial``
    cutoff : Angstrom
    width : Angstrom, of the envelope; infinite for ``monomial``
    counts : number of functions for each l
    rcond, tol : eigenvalues of the overlap <= rcond are dropped; more than tol dropped is an error
    """

    name: Name
    cutoff: float
    width: float
    counts: tuple[int, ...]
    rcond: float
    tol: float

    @property
    def lmax(self) -> int:
        """Return the highest l."""
        return len(self.counts) - 1

    @property
    def degree(self) -> int:
        """Return the highest power of r."""
        return max(l + 2 * (count - 1) for l, count in enumerate(self.counts))

    @property
    def scale(self) -> float:
        """Return the scale s of the ordered polynomials, in Angstrom: see `ordered`.

        With an envelope its width, which makes them orthogonal. Without one (``monomial``) s is free: the
        highest function then reaches just as far as the cutoff.
        """
        return self.width if self.name == "gto" else self.cutoff / sqrt(2 * self.degree + 1)

    def get_num_radial_functions(self) -> list[int]:
        """Return the number of functions for each l, by the published package's name."""
        return list(self.counts)

    def orthonormalize_basis(self, features: Any) -> Any:
        """Orthonormalise the TensorMap of ``transform(normalize=False)`` in place, and return it."""
        for key, block in features.items():
            matrix = np.array(self.exact_mixing(int(key["angular_channel"])), dtype=float)
            samples, components, properties = block.values.shape
            by_species = block.values.reshape(samples, components, properties // len(matrix), len(matrix))
            block.values[:] = (by_species @ matrix).reshape(block.values.shape)

        return features

    def exact_mixing(self, l: int) -> list[list[Decimal]]:
        """Return the orthonormalisation matrix (n, k) of one l, before it is rounded.

        Raises
        ------
        BadInput
            when rcond drops so much of the overlap that tol is exceeded
        """
        scale = self.width if self.name == "gto" else self.cutoff
        return _mixing(self.name, l, self.counts[l], scale, self.rcond, self.tol)

    def ordered(self, l: int, matrix: Sequence[Sequence[Decimal | float]]) -> np.ndarray:
        """Convert a matrix that takes r^2n S_lm to one that takes :r^2n S_lm:, rounded once.

        :f: = exp(-s^2/4 Laplacian) f puts Hermite polynomials in place of the powers of x, y and z. Since
        the Laplacian of a solid harmonic S_lm is zero,

            r^2n S_lm = sum_k C(n, k) s^(2n-2k) Gamma(n + l + 3/2) / Gamma(k + l + 3/2)  :r^2k S_lm:.

        For the GTO basis the :r^2k S_lm: are orthogonal, so the result of the orthonormal functions' matrix
        loses no digits, while entries of S^-1/2 reach 1,515 at lmax 9, nmax 6 and cancel one another.
        """
        count = self.counts[l]

        with localcontext() as context:
            context.prec = _digits(count)
            squared = Decimal(self.scale) ** 2
            rows = [
                [
                    comb(n, k) * squared ** (n - k) * _half_gamma(n + l) / _half_gamma(k + l)
                    for n in range(k, count)
                ]
                for k in range(count)
            ]
            ordered = [
                [
                    sum((a * Decimal(b[j]) for a, b in zip(row, matrix[k:], strict=True)), ZERO)
                    for j in range(count)
                ]
                for k, row in enumerate(rows)
            ]
        rounded = np.array(ordered, dtype=float)
        largest = np.abs(rounded).max(axis=0)
        if not 1 / RANGE < largest.min() <= largest.max() < RANGE:
            raise BadInput(
                f"at l = {l} the radial functions leave the range of float64: give lengths in Angstrom, "
                "or use fewer functions"
            )
        return rounded


@lru_cache(maxsize=512)
def _mixing(name: Name, l: int, count: int, scale: float, rcond: float, tol: float) -> list[list[Decimal]]:
    """Compute N_k S^-1/2: Loewdin's orthonormalisation, times the norms of the primitive functions."""
    with localcontext() as context:
        context.prec = _digits(count)

        degrees = [l + 2 * n for n in range(count)]
        overlap = [[_overlap(name, a, b) for b in degrees] for a in degrees]
        values, vectors = _eigen(overlap)

        kept = [value > Decimal(rcond) for value in values]
        lost = sum((value * value for value, keep in zip(values, kept, strict=True) if not keep), ZERO).sqrt()
        if lost > Decimal(tol):
            raise BadInput(
                f"Incurred Numerical Imprecision: at l = {l}, rcond {rcond:g} drops {float(lost):.3g} of the "
                f"overlap of {count} radial functions, more than tol {tol:g}: use fewer functions, or a "
                "smaller rcond"
            )

        weights = [ONE / value.sqrt() if keep else ZERO for value, keep in zip(values, kept, strict=True)]
        norms = [_norm(name, k, Decimal(scale)) for k in degrees]
        return [
            [norms[a] * _dot(vectors[a], weights, vectors[b]) for b in range(count)] for a in range(count)
        ]


def _digits(count: int) -> int:
    """Return how many decimal digits the orthonormalisation of so many functions needs.

    Alike functions cost digits: the smallest eigenvalue of the overlap of 41 is 8e-89 (monomial, l = 60). 26
    and more are left for all l and counts.
    """
    return 35 + 2 * count


def _overlap(name: Name, a: int, b: int) -> Decimal:
    """Return the overlap of two normalised functions whose degrees differ by an even number."""
    if name == "monomial":
        return Decimal((2 * a + 3) * (2 * b + 3)).sqrt() / Decimal(a + b + 3)

    return _half_gamma((a + b) // 2) / (_half_gamma(a) * _half_gamma(b)).sqrt()


def _norm(name: Name, k: int, scale: Decimal) -> Decimal:
    """Return one over the norm of r^k: over all space with the envelope, or within the cutoff."""
    if name == "monomial":
        return (Decimal(2 * k + 3) / scale ** (2 * k + 3)).sqrt()

    return ONE / (scale ** (2 * k + 3) * _half_gamma(k) * PI.sqrt() / 2).sqrt()


def _half_gamma(k: int) -> Decimal:
    """Return Gamma(k + 3/2) / sqrt(pi)."""
    value = ONE / 2
    for i in range(1, k + 1):
        value *= Decimal(2 * i + 1) / 2
    return value


def _dot(left: list[Decimal], weights: list[Decimal], right: list[Decimal]) -> Decimal:
    return sum((a * w * b for a, w, b in zip(left, weights, right, strict=True)), ZERO)


def _eigen(matrix: list[list[Decimal]]) -> tuple[list[Decimal], list[list[Decimal]]]:
    """Compute eigenvalues and eigenvectors (in columns) of a small symmetric matrix by Jacobi's rotations."""
    size = len(matrix)
    a = [row[:] for row in matrix]
    vectors = [[ONE if i == j else ZERO for j in range(size)] for i in range(size)]
    small = ONE.scaleb(-_digits(size))

    while any(abs(a[i][j]) > small for i in range(size) for j in range(i)):
        for p in range(size):
            for q in range(p + 1, size):
                if abs(a[p][q]) > small:
                    _rotate(a, vectors, p, q)

    return [a[i][i] for i in range(size)], vectors


def _rotate(a: list[list[Decimal]], vectors: list[list[Decimal]], p: int, q: int) -> None:
    """Rotate rows and columns p and q so that a[p][q] vanishes."""
    theta = (a[q][q] - a[p][p]) / (2 * a[p][q])
    tangent = (ONE if theta >= 0 else -ONE) / (abs(theta) + (theta * theta + 1).sqrt())
    cosine = ONE / (tangent * tangent + 1).sqrt()
    sine = tangent * cosine

    for row in a:
        row[p], row[q] = cosine * row[p] - sine * row[q], sine * row[p] + cosine * row[q]

    above, below = a[p], a[q]
    a[p] = [cosine * x - sine * y for x, y in zip(above, below, strict=True)]
    a[q] = [sine * x + cosine * y for x, y in zip(above, below, strict=True)]
    a[p][q] = a[q][p] = ZERO

    for row in vectors:
        row[p], row[q] = cosine * row[p] - sine * row[q], sine * row[p] + cosine * row[q]
