"""A ridge model of energies on power spectra, and its ASE calculator: energy, forces, torques, stress."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from numbers import Real
from typing import Any

import numpy as np
from ase import Atoms
from ase.calculators.calculator import Calculator, all_changes

from anisweep.descriptors.arrays import DIAMETERS
from anisweep.descriptors.errors import BadInput
from anisweep.descriptors.gradients import gradients
from anisweep.descriptors.projection import EllipsoidalDensityProjection


@dataclass(frozen=True)
class RidgeModel:
    """E = sum over centres of (intercept + weights . power spectrum).

    Attributes
    ----------
    projection : keeps isolated centres, so that each particle counts
    weights : (features,), energy
    intercept : energy of a particle
    species : that were fitted; a frame may have fewer, and no others
    """

    projection: EllipsoidalDensityProjection
    weights: np.ndarray
    intercept: float
    species: tuple[int, ...]

    @classmethod
    def fit(
        cls,
        projection: EllipsoidalDensityProjection,
        frames: Sequence[Atoms],
        energies: Sequence[float],
        alpha: float = 1e-6,
    ) -> RidgeModel:
        """Least squares in the energy per particle.

        Parameters
        ----------
        frames : a species need not be in all of them
        energies : (frames,), in any unit, which is then the model's
        alpha : ridge, relative to the largest eigenvalue of the features' covariance

        Raises
        ------
        BadInput
            for frames, naming frame and particle; for one without particles, which has no energy per
            particle; for energies that are not one finite number for each frame; for a negative alpha
        """
        described = projection.describe(frames)
        features = described.values
        counts = np.array([len(frame) for frame in frames])
        if not counts.all():
            raise BadInput(f"frame {int(counts.argmin())} has no particles, so no energy per particle")
        given = np.asarray(energies, dtype=float)
        if given.shape != counts.shape or not np.isfinite(given).all():
            wanted = f"{len(counts)} finite numbers, one for each frame"
            raise BadInput(f"energies must be {wanted}: got {given!r:.80}")
        if not isinstance(alpha, Real) or not 0 <= alpha < float("inf"):
            raise BadInput(f"alpha must be a number from 0 on, not {alpha!r}")
        per_particle = given / counts

        centred = features - features.mean(axis=0)
        left, singular, right = np.linalg.svd(centred, full_matrices=False)
        floor = np.finfo(float).tiny  # where all features are equal there is nothing to learn
        damped = singular / np.maximum(singular**2 + alpha * singular[0] ** 2, floor)
        weights = right.T @ (damped * (left.T @ (per_particle - per_particle.mean())))

        intercept = float(per_particle.mean() - features.mean(axis=0) @ weights)
        return cls(projection, weights, intercept, tuple(described.neighbours.tolist()))

    def energies(self, frames: Sequence[Atoms]) -> np.ndarray:
        """(frames,), in the unit of the energies that were fitted."""
        counts = np.array([len(frame) for frame in frames])
        features = self.projection.describe(frames, species=self.species).values
        energies: np.ndarray = counts * (features @ self.weights + self.intercept)
        return energies


class RidgeCalculator(Calculator):  # type: ignore[misc]
    """ASE's calculator of a `RidgeModel`. A turned or reshaped particle is a new geometry, as a moved one is.

    ``results["torques"]`` holds the torques (particles, 3) in space. The stress is the symmetric part of
    dE/d strain over volume, at fixed orientations.
    """

    implemented_properties = ("energy", "free_energy", "forces", "stress", "torques")

    def __init__(self, model: RidgeModel) -> None:
        super().__init__()
        self.model = model

    def check_state(self, atoms: Atoms, tol: float = 1e-15) -> list[str]:
        """What changed since the last calculation: ASE itself looks at neither orientations nor diameters."""
        changes: list[str] = super().check_state(atoms, tol)
        names = () if changes else (self.model.projection.rotation_key, *DIAMETERS)
        return changes + [
            name for name in names if not np.array_equal(atoms.arrays.get(name), self.atoms.arrays.get(name))
        ]

    def calculate(
        self,
        atoms: Atoms | None = None,
        properties: Sequence[str] = ("energy",),
        system_changes: Any = all_changes,
    ) -> None:
        super().calculate(atoms, properties, system_changes)
        count = len(self.atoms)

        features, derivatives = gradients(
            self.model.projection,
            [self.atoms],
            count * self.model.weights,
            species=self.model.species,
        )
        energy = float(count * (features[0] @ self.model.weights + self.model.intercept))
        self.results = {
            "energy": energy,
            "free_energy": energy,
            "forces": derivatives.forces,
            "torques": derivatives.torques,
        }

        if self.atoms.pbc.all():
            stress = derivatives.strain[0] / self.atoms.get_volume()
            self.results["stress"] = ((stress + stress.T) / 2).ravel()[[0, 4, 8, 5, 2, 1]]
