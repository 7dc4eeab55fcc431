"""Solve least squares with a ridge, from rows that come in blocks."""

from __future__ import annotations

import numpy as np


class LeastSquares:
    r"""Hold rows of a least-squares problem as their triangular factor, whatever their number.

    .. math:: A^T A = R^T R

    R is the Cholesky factor of the normal matrix. A block is added by the QR decomposition of R with the
    block's rows below it: a sum of normal matrices, which square the condition, would lose half the digits.

    Columns are first ``free`` ones, which no ridge damps and which must be independent, then the features,
    and last what they shall give.

    Parameters
    ----------
    free : int
        Number of free columns.
    features : int
        Number of features.
    """

    def __init__(self, free: int, features: int) -> None:
        self.free = free
        self.rows = 0
        self.triangle: np.ndarray = np.zeros((0, free + features + 1))

    def add(self, rows: np.ndarray, standing_for: int | None = None) -> None:
        """Add rows of shape (any number, free + features + 1), which may stand for more of them."""
        if len(rows):
            self.rows += len(rows) if standing_for is None else standing_for
            stacked = np.concatenate([self.triangle, rows])
            self.triangle = np.linalg.qr(stacked, mode="r")  # type: ignore[assignment]

    def put(self, triangle: np.ndarray, rows: int) -> None:
        """Take a factor as it was, which stands for so many rows."""
        if triangle.ndim != 2 or triangle.shape[1] != self.triangle.shape[1]:
            raise ValueError(f"a factor has the shape {triangle.shape}")
        self.triangle, self.rows = triangle, rows

    def solve(self, alpha: float) -> tuple[np.ndarray, np.ndarray]:
        """Return the coefficients of the free columns and of the features.

        Parameters
        ----------
        alpha : float
            Ridge on the features, relative to the largest eigenvalue of their part of the normal matrix.
        """
        features = self.triangle[:, self.free : -1]
        size = float(np.linalg.norm(features))
        damped = self._damped(alpha, size)

        left = self.triangle[: self.free, -1] - features[: self.free] @ damped
        return np.linalg.solve(self.triangle[: self.free, : self.free], left), damped

    def _damped(self, alpha: float, size: float) -> np.ndarray:
        """Return the ridge solution; ``size`` is the norm of the features before the free columns' part."""
        rest = self.triangle[self.free :]
        features, targets = rest[:, self.free : -1], rest[:, -1]
        if not len(rest):
            return np.zeros(features.shape[1])

        left, singular, right = np.linalg.svd(features, full_matrices=False)
        rounding = np.finfo(float).eps * max(self.rows, features.shape[1]) * size
        learned = singular > rounding  # features come twice, as (a, b) and (b, a), so not all directions do
        damped = np.zeros_like(singular)
        damped[learned] = singular[learned] / (singular[learned] ** 2 + alpha * singular[0] ** 2)
        weights: np.ndarray = right.T @ (damped * (left.T @ targets))
        return weights
