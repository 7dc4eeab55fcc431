"""Sum what labelled frames say of a linear model, in memory that does not grow with them."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from anisweep.models.labels import LabelWeights
from anisweep.models.least_squares import LeastSquares

#: The kinds of labels, in the order in which their rows are summed.
KINDS = ("energies", "forces", "torques", "stresses")

#: How many numbers, and so rows, a label of each kind is.
NUMBERS = {"energies": 1, "forces": 3, "torques": 3, "stresses": 9}

#: Spreads of energies up to this part of their size are rounding, and not divided by.
ROUNDING = 1e-12


class NormalEquations:
    """Hold the rows of labelled frames as one triangular factor for each kind of label.

    Rows are not weighted before they are solved, so that parts of the frames know nothing of one another.
    Their first columns are the share that each species has of the frame's particles, which only rows of
    energies have; then come the features, and last the label.

    Parameters
    ----------
    species, features : int
        How many there are.
    """

    def __init__(self, species: int, features: int) -> None:
        self.species = species
        self.features = features
        self.kinds = {kind: LeastSquares(species, features) for kind in KINDS}

    def add(self, rows: Mapping[str, np.ndarray]) -> None:
        """Add rows of some kinds."""
        for kind, some in rows.items():
            self.kinds[kind].add(some)

    def join(self, other: NormalEquations) -> None:
        """Add what other frames say."""
        for kind, problem in other.kinds.items():
            self.kinds[kind].add(problem.triangle, problem.rows)

    def solve(self, alpha: float, weights: LabelWeights) -> tuple[np.ndarray, np.ndarray]:
        """Return the energies of the species, the shortest there are, and the weights of the features."""
        solution = self._solution(weights.energies > 0)
        problem = LeastSquares(solution.shape[1], self.features)

        for kind, scale in self.scales(weights).items():
            problem.add(self._columns(kind, solution) * scale, self.kinds[kind].rows)

        free, learned = problem.solve(alpha)
        return solution @ free, learned

    def scales(self, weights: LabelWeights) -> dict[str, float]:
        """Return what errors of each kind are multiplied by: the root of its weight over its spread.

        The spread of forces, torques and stresses is their root mean square, of energies per particle what
        the best energies of the species leave.
        """
        solution = self._solution(weights.energies > 0)
        return {
            kind: float(np.sqrt(getattr(weights, kind))) / self._spread(kind, self._columns(kind, solution))
            for kind, rows in self.kinds.items()
            if getattr(weights, kind) > 0 and rows.rows
        }

    def _columns(self, kind: str, solution: np.ndarray) -> np.ndarray:
        """Return the rows of a kind, with orthonormal columns in place of the shares of species."""
        triangle = self.kinds[kind].triangle
        return np.hstack([triangle[:, : self.species] @ solution, triangle[:, self.species :]])

    def _solution(self, wanted: bool) -> np.ndarray:
        """Return (species, rank), which makes orthonormal columns of the shares of species."""
        if not wanted or not self.kinds["energies"].rows:
            return np.zeros((self.species, 0))

        shares = self.kinds["energies"].triangle[:, : self.species]
        _, singular, right = np.linalg.svd(shares, full_matrices=False)
        rows = max(self.kinds["energies"].rows, self.species)
        kept = singular > np.finfo(float).eps * rows * singular.max(initial=0)
        solution: np.ndarray = right[kept].T / singular[kept]
        return solution

    def _spread(self, kind: str, columns: np.ndarray) -> float:
        """Return how much the labels of a kind spread; 1 where they do not."""
        basis, labels = columns[:, : columns.shape[1] - self.features - 1], columns[:, -1]
        left = float(np.linalg.norm(labels - basis @ (basis.T @ labels)))
        rounding = ROUNDING * float(np.linalg.norm(labels)) if kind == "energies" else 0
        return left / float(np.sqrt(self.kinds[kind].rows)) if left > rounding else 1.0
