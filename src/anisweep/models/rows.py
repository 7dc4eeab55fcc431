"""Turn labelled frames into rows of a least-squares problem for the weights of a linear model."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from functools import cached_property
from itertools import pairwise
from typing import Any

import numpy as np

from anisweep.descriptors.arrays import FrameArrays
from anisweep.descriptors.gradients import Jacobian, jacobian
from anisweep.descriptors.projection import EllipsoidalDensityProjection
from anisweep.models.labels import LabelWeights, TrainingLabels

#: Spreads of energies up to this part of their size are rounding, and not divided by.
ROUNDING = 1e-12


@dataclass(frozen=True)
class Scales:
    """Hold what errors of each kind of label are multiplied by: the root of its weight over its spread.

    The spread of forces, torques and stresses is their root mean square; of energies per particle it is what
    the best energies of the species leave.
    """

    energies: float
    forces: float
    torques: float
    stresses: float


@dataclass(frozen=True)
class Composition:
    """Hold how many particles of each species frames with an energy have, as shares of all.

    Attributes
    ----------
    basis : (frames, rank), orthonormal columns that span the shares; zero in frames without an energy
    solution : (species, rank), coefficients of the basis into energies of the species, the shortest there are
    """

    basis: np.ndarray
    solution: np.ndarray

    @classmethod
    def of(cls, arrays: FrameArrays, species: np.ndarray, labelled: np.ndarray) -> Composition:
        """Return the composition of frames, some of which are labelled with energies."""
        numbers = np.zeros((len(arrays.counts), len(species)))
        frame = np.repeat(np.arange(len(arrays.counts)), arrays.counts)
        np.add.at(numbers, (frame, arrays.places(species)), 1)
        shares = np.where(labelled[:, None], numbers / np.maximum(arrays.counts, 1)[:, None], 0)

        left, singular, right = np.linalg.svd(shares, full_matrices=False)
        rounding = np.finfo(float).eps * max(shares.shape) * singular.max(initial=0)
        kept = singular > rounding
        return cls(left[:, kept], right[kept].T / singular[kept])


@dataclass(frozen=True)
class FitRows:
    """Make the rows of some frames after another: free columns, features, and what they shall give.

    Attributes
    ----------
    projection : what describes the frames
    frames : list of Atoms
    arrays : the same frames
    species : those of the neighbours, sorted
    labels : what to learn; NaN where there is none
    scales : what rows of each kind are multiplied by
    composition : whose basis is the free columns
    """

    projection: EllipsoidalDensityProjection
    frames: list[Any]
    arrays: FrameArrays
    species: np.ndarray
    labels: TrainingLabels
    scales: Scales
    composition: Composition

    @cached_property
    def _labelled(self) -> np.ndarray:
        """Return which particles have a force or a torque (cached: each block asks for its own)."""
        return labelled_particles(self.labels)

    def between(self, begin: int, end: int) -> list[np.ndarray]:
        """Return the rows of the frames from ``begin`` to before ``end``, kind by kind."""
        rows = []
        if np.isfinite(self.labels.energies[begin:end]).any():
            rows.append(self._of_energies(begin, end))

        chosen = self._chosen(begin, end)
        by_strain = bool(np.isfinite(self.labels.stresses[begin:end]).any())
        if by_strain or any(map(len, chosen)):
            some = self.frames[begin:end]
            derivatives = jacobian(
                self.projection, some, chosen, by_strain, species=self.species.tolist(), first=begin
            )
            rows += self._of_vectors(derivatives, begin)
            rows += [self._of_stresses(derivatives.strain, begin)] if derivatives.strain is not None else []
        return rows

    def _of_energies(self, begin: int, end: int) -> np.ndarray:
        """Return a row for each energy per particle."""
        some = self.frames[begin:end]
        features = self.projection.describe(some, species=self.species.tolist(), first=begin).values
        labelled = np.isfinite(self.labels.energies[begin:end])
        energies = self.labels.energies[begin:end][labelled]
        counts = self.arrays.counts[begin:end][labelled]

        rows = self._rows(features[labelled], energies / counts, self.scales.energies)
        rows[:, : self._features.start] = self.composition.basis[begin:end][labelled]
        return rows

    def _of_vectors(self, derivatives: Jacobian, begin: int) -> list[np.ndarray]:
        """Return three rows for each force, and three for each torque."""
        frame = begin + derivatives.frame
        particles = self.arrays.start[frame] + derivatives.particle
        kinds = (
            (derivatives.positions, self.labels.forces[particles], self.scales.forces),
            (derivatives.rotations, self.labels.torques[particles], self.scales.torques),
        )
        return [self._of_energy_downhill(*kind, self.arrays.counts[frame]) for kind in kinds]

    def _of_energy_downhill(
        self, derivatives: np.ndarray, labels: np.ndarray, scale: float, counts: np.ndarray
    ) -> np.ndarray:
        """Return minus the derivatives of the energy, which is the frame's count times that of its mean."""
        labelled = np.isfinite(labels).all(axis=1)
        some = derivatives[labelled]
        rows = self._rows(some.reshape(-1, some.shape[2]), labels[labelled].ravel(), scale)
        rows[:, self._features] *= np.repeat(-counts[labelled], 3)[:, None]
        return rows

    def _of_stresses(self, by_strain: np.ndarray, begin: int) -> np.ndarray:
        """Return nine rows for each stress: the symmetric part of derivatives by strain, over the volume."""
        end = begin + len(by_strain)
        stresses = self.labels.stresses[begin:end]
        labelled = np.isfinite(stresses).all(axis=(1, 2))
        volumes = np.abs(np.linalg.det(self.arrays.cells[begin:end][labelled]))

        symmetric = (by_strain[labelled] + by_strain[labelled].swapaxes(1, 2)) / 2
        rows = self._rows(
            symmetric.reshape(-1, by_strain.shape[3]), stresses[labelled].ravel(), self.scales.stresses
        )
        rows[:, self._features] *= np.repeat(self.arrays.counts[begin:end][labelled] / volumes, 9)[:, None]
        return rows

    @property
    def _features(self) -> slice:
        """Return the columns of the features."""
        return slice(self.composition.basis.shape[1], -1)

    def _rows(self, features: np.ndarray, targets: np.ndarray, scale: float) -> np.ndarray:
        """Return scaled rows whose free columns are zero."""
        free = self.composition.basis.shape[1]
        rows = np.zeros((len(targets), free + features.shape[1] + 1))
        np.multiply(features, scale, out=rows[:, free:-1])
        np.multiply(targets, scale, out=rows[:, -1])
        return rows

    def _chosen(self, begin: int, end: int) -> list[list[int]]:
        """Return the places of the particles with a force or a torque, frame by frame."""
        starts = self.arrays.start[begin : end + 1]
        return [np.flatnonzero(self._labelled[one:other]).tolist() for one, other in pairwise(starts)]


def labelled_particles(labels: TrainingLabels) -> np.ndarray:
    """Return (particles,) which of them have a force or a torque."""
    labelled: np.ndarray = np.isfinite(labels.forces).all(axis=1) | np.isfinite(labels.torques).all(axis=1)
    return labelled


def with_a_part_of_the_particles(labels: TrainingLabels, fraction: float, seed: int) -> TrainingLabels:
    """Return labels whose forces and torques are those of a random part of the particles, at least of one."""
    labelled = np.flatnonzero(labelled_particles(labels))
    kept = max(1, round(fraction * len(labelled)))
    if kept >= len(labelled):
        return labels

    left_out = np.random.default_rng(seed).permutation(labelled)[kept:]
    forces, torques = labels.forces.copy(), labels.torques.copy()
    forces[left_out] = torques[left_out] = np.nan
    return replace(labels, forces=forces, torques=torques)


def without_weightless(labels: TrainingLabels, weights: LabelWeights) -> TrainingLabels:
    """Return labels without the kinds whose weight is zero."""
    left_out = [field.name for field in fields(labels) if getattr(weights, field.name) == 0]
    return replace(labels, **{name: np.full_like(getattr(labels, name), np.nan) for name in left_out})


def scales(
    labels: TrainingLabels, weights: LabelWeights, arrays: FrameArrays, composition: Composition
) -> Scales:
    """Return what errors of each kind are multiplied by."""
    per_particle = np.nan_to_num(labels.energies / np.maximum(arrays.counts, 1))
    left = per_particle - composition.basis @ (composition.basis.T @ per_particle)
    spread, size = float(np.linalg.norm(left)), float(np.linalg.norm(per_particle))
    count = max(1, int(np.isfinite(labels.energies).sum()))

    return Scales(
        energies=_scale(weights.energies, spread / np.sqrt(count) if spread > ROUNDING * size else 0),
        forces=_scale(weights.forces, _root_mean_square(labels.forces)),
        torques=_scale(weights.torques, _root_mean_square(labels.torques)),
        stresses=_scale(weights.stresses, _root_mean_square(labels.stresses)),
    )


def _scale(weight: float, spread: float) -> float:
    return float(np.sqrt(weight) / (spread if spread > 0 else 1))


def _root_mean_square(labels: np.ndarray) -> float:
    there = labels[np.isfinite(labels)]
    return float(np.sqrt(np.mean(np.square(there)))) if len(there) else 0.0
