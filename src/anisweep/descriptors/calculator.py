"""A ridge model of energies on power spectra, and its ASE calculator: energy, forces, torques, stress."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from numbers import Real
from typing import Any

import numpy as np
from ase import Atoms
from ase.calculators.calculator import Calculator, all_changes
from ase.outputs import Properties, all_outputs

from anisweep.descriptors.arrays import DIAMETERS
from anisweep.descriptors.errors import BadInput
from anisweep.descriptors.frames import listed, survey
from anisweep.descriptors.gradients import gradients
from anisweep.descriptors.projection import EllipsoidalDensityProjection


@dataclass(frozen=True)
class RidgeModel:
    """E = sum over centres of (intercept of its species + weights . power spectrum).

    Attributes
    ----------
    projection : keeps isolated centres, so that each particle counts
    weights : (features,), energy
    intercepts : (species,) energy of a particle
    species : that were fitted; a frame may have fewer, and no others
    """

    projection: EllipsoidalDensityProjection
    weights: np.ndarray
    intercepts: np.ndarray
    species: tuple[int, ...]

    @classmethod
    def fit(
        cls,
        projection: EllipsoidalDensityProjection,
        frames: Any,
        energies: Sequence[float],
        alpha: float = 1e-6,
    ) -> RidgeModel:
        """Least squares in the energy per particle.

        Parameters
        ----------
        projection : keeps isolated centres
        frames : of ase.Atoms; a species need not be in all of them
        energies : (frames,), in any unit, which is then the model's
        alpha : ridge, relative to the largest eigenvalue of the features' covariance

        Raises
        ------
        BadInput
            for frames, naming frame and particle; for one without particles, which has no energy per
            particle; for energies that are not one finite number for each frame; for a negative alpha; for
            a projection that drops isolated centres
        """
        if projection.drop_isolated:
            raise BadInput("each particle must count: give a projection without drop_isolated")
        if not isinstance(alpha, Real) or not 0 <= alpha < float("inf"):
            raise BadInput(f"alpha must be a number from 0 on, not {alpha!r}")

        frames = listed(frames)
        counts, _ = survey(frames)
        if not counts.all():
            raise BadInput(f"frame {int(counts.argmin())} has no particles, so no energy per particle")
        per_particle = _finite(energies, len(frames)) / counts

        described = projection.describe(frames)
        species = tuple(described.neighbours.tolist())
        composition = _composition(frames, species) / counts[:, None]
        known = np.column_stack([described.values, per_particle])
        means = np.linalg.lstsq(composition, known, rcond=None)[0]  # of each species
        centred = known - composition @ means
        left, singular, right = np.linalg.svd(centred[:, :-1], full_matrices=False)

        rounding = np.finfo(float).eps * max(centred.shape) * np.linalg.norm(described.values)
        learned = singular > rounding  # features come twice, as (a, b) and (b, a), so not all directions do
        damped = np.zeros_like(singular)
        damped[learned] = singular[learned] / (singular[learned] ** 2 + alpha * singular[0] ** 2)
        weights = right.T @ (damped * (left.T @ centred[:, -1]))
        return cls(projection, weights, means[:, -1] - means[:, :-1] @ weights, species)

    def energies(self, frames: Any) -> np.ndarray:
        """(frames,), in the unit of the energies that were fitted."""
        frames = listed(frames)
        counts, _ = survey(frames)
        features = self.projection.describe(frames, species=self.species).values
        energies: np.ndarray = counts * (features @ self.weights) + self.alone(frames)
        return energies

    def alone(self, frames: Sequence[Atoms]) -> np.ndarray:
        """(frames,) the intercepts of the particles, added up."""
        energies: np.ndarray = _composition(frames, self.species) @ self.intercepts
        return energies


def _composition(frames: Sequence[Atoms], species: Sequence[int]) -> np.ndarray:
    """(frames, species) particles of each."""
    return np.array([[np.count_nonzero(frame.numbers == kind) for kind in species] for frame in frames])


def _finite(energies: Any, count: int) -> np.ndarray:
    """One number for each frame."""
    try:
        given = np.asarray(energies, dtype=float)
    except (TypeError, ValueError):
        given = np.empty(0)

    if given.shape != (count,) or not np.isfinite(given).all():
        raise BadInput(f"energies must be {count} finite numbers, one for each frame: got {energies!r:.80}")
    return given


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

    def export_properties(self) -> Properties:
        """What ASE has a name for, which torques have not."""
        return Properties({name: value for name, value in self.results.items() if name in all_outputs})

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
        energy = float(count * (features[0] @ self.model.weights) + self.model.alone([self.atoms])[0])
        self.results = {
            "energy": energy,
            "free_energy": energy,
            "forces": derivatives.forces,
            "torques": derivatives.torques,
        }

        if self.atoms.pbc.all():
            stress = derivatives.strain[0] / self.atoms.get_volume()
            self.results["stress"] = ((stress + stress.T) / 2).ravel()[[0, 4, 8, 5, 2, 1]]
