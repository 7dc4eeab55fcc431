"""Turn labelled frames into rows of a least-squares problem for the weights of a linear model."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from functools import cached_property
from itertools import pairwise

import numpy as np

from anisweep.descriptors.arrays import FrameArrays
from anisweep.descriptors.frames import runs
from anisweep.descriptors.gradients import Jacobian, jacobian
from anisweep.descriptors.kernels.run import Output, widths
from anisweep.descriptors.projection import EllipsoidalDensityProjection
from anisweep.models.equations import NormalEquations
from anisweep.models.labels import LabelWeights, TrainingLabels

#: Numbers of a block's derivatives, 32 MiB, so that memory does not grow with the frames.
AT_A_TIME = 2**22


@dataclass(frozen=True)
class FitRows:
    """Make the rows of some frames after another: shares of species, features, and what they shall give.

    Attributes
    ----------
    projection : what describes the frames
    arrays : the frames
    species : those of the neighbours, sorted
    labels : what to learn; NaN where there is none
    output : which features
    """

    projection: EllipsoidalDensityProjection
    arrays: FrameArrays
    species: np.ndarray
    labels: TrainingLabels
    output: Output

    def equations(self) -> NormalEquations:
        """Return the sum of all rows, block by block."""
        features = sum(widths(self.projection.tables.radial.counts, len(self.species), self.output))
        equations = NormalEquations(len(self.species), features)

        for begin, end in runs(self.arrays.counts, particles_at_a_time(features)):
            equations.add(self.between(begin, end))
        return equations

    @cached_property
    def _labelled(self) -> np.ndarray:
        """Return which particles have a force or a torque (cached: each block asks for its own)."""
        return labelled_particles(self.labels)

    def between(self, begin: int, end: int) -> dict[str, np.ndarray]:
        """Return the rows of the frames from ``begin`` to before ``end``, by the kind of their labels."""
        rows = {}
        if np.isfinite(self.labels.energies[begin:end]).any():
            rows["energies"] = self._of_energies(begin, end)

        chosen = self._chosen(begin, end)
        by_strain = bool(np.isfinite(self.labels.stresses[begin:end]).any())
        if by_strain or any(map(len, chosen)):
            some = self.arrays.between(begin, end)
            species = self.species.tolist()
            derivatives = jacobian(self.projection, some, chosen, by_strain, self.output, species=species)
            rows |= self._of_vectors(derivatives, begin)
            rows |= {} if derivatives.strain is None else self._of_stresses(derivatives.strain, begin)
        return rows

    def _of_energies(self, begin: int, end: int) -> np.ndarray:
        """Return a row for each energy per particle."""
        some = self.arrays.between(begin, end)
        features = self.projection.describe(some, self.output, species=self.species.tolist()).values
        labelled = np.isfinite(self.labels.energies[begin:end])
        counts = self.arrays.counts[begin:end][labelled]

        rows = self._rows(features[labelled], self.labels.energies[begin:end][labelled] / counts)
        rows[:, : len(self.species)] = self._numbers[begin:end][labelled] / counts[:, None]
        return rows

    @cached_property
    def _numbers(self) -> np.ndarray:
        """Return (frames, species) how many particles of each species a frame has."""
        numbers = np.zeros((len(self.arrays.counts), len(self.species)))
        frame = np.repeat(np.arange(len(numbers)), self.arrays.counts)
        np.add.at(numbers, (frame, self.arrays.places(self.species)), 1)
        return numbers

    def _of_vectors(self, derivatives: Jacobian, begin: int) -> dict[str, np.ndarray]:
        """Return three rows for each force, and three for each torque."""
        frame = begin + derivatives.frame
        particles = self.arrays.start[frame] + derivatives.particle
        counts = self.arrays.counts[frame]
        return {
            "forces": self._downhill(derivatives.positions, self.labels.forces[particles], counts),
            "torques": self._downhill(derivatives.rotations, self.labels.torques[particles], counts),
        }

    def _downhill(self, derivatives: np.ndarray, labels: np.ndarray, counts: np.ndarray) -> np.ndarray:
        """Return minus the derivatives of the energy, which is the frame's count times that of its mean."""
        labelled = np.isfinite(labels).all(axis=1)
        some = derivatives[labelled]
        rows = self._rows(some.reshape(-1, some.shape[2]), labels[labelled].ravel())
        rows[:, len(self.species) : -1] *= np.repeat(-counts[labelled], 3)[:, None]
        return rows

    def _of_stresses(self, by_strain: np.ndarray, begin: int) -> dict[str, np.ndarray]:
        """Return nine rows for each stress: the symmetric part of derivatives by strain, over the volume."""
        end = begin + len(by_strain)
        stresses = self.labels.stresses[begin:end]
        labelled = np.isfinite(stresses).all(axis=(1, 2))
        volumes = np.abs(np.linalg.det(self.arrays.cells[begin:end][labelled]))

        symmetric = (by_strain[labelled] + by_strain[labelled].swapaxes(1, 2)) / 2
        rows = self._rows(symmetric.reshape(-1, by_strain.shape[3]), stresses[labelled].ravel())
        rows[:, len(self.species) : -1] *= np.repeat(self.arrays.counts[begin:end][labelled] / volumes, 9)[
            :, None
        ]
        return {"stresses": rows}

    def _rows(self, features: np.ndarray, labels: np.ndarray) -> np.ndarray:
        """Return rows without shares of species."""
        return np.hstack([np.zeros((len(labels), len(self.species))), features, labels[:, None]])

    def _chosen(self, begin: int, end: int) -> list[list[int]]:
        """Return the places of the particles with a force or a torque, frame by frame."""
        starts = self.arrays.start[begin : end + 1]
        return [np.flatnonzero(self._labelled[one:other]).tolist() for one, other in pairwise(starts)]


def labelled_particles(labels: TrainingLabels) -> np.ndarray:
    """Return (particles,) which of them have a force or a torque."""
    labelled: np.ndarray = np.isfinite(labels.forces).all(axis=1) | np.isfinite(labels.torques).all(axis=1)
    return labelled


def with_a_part_of_the_particles(
    labels: TrainingLabels, arrays: FrameArrays, fraction: float, seed: int, before: int = 0
) -> TrainingLabels:
    """Return labels whose forces and torques are those of a random part of the particles.

    It is so large a part of each frame, up to rounding, and the same one wherever a file is divided.

    Parameters
    ----------
    before : number of particles in the frames before these
    """
    if fraction == 1:
        return labels

    left_out = []
    for frame, (begin, end) in enumerate(pairwise(arrays.start.tolist())):
        kept = _kept(fraction, before + end) - _kept(fraction, before + begin)
        mixed = np.random.default_rng([seed, arrays.first + frame]).permutation(end - begin)
        left_out.append(begin + mixed[kept:])

    forces, torques = labels.forces.copy(), labels.torques.copy()
    forces[np.concatenate(left_out)] = torques[np.concatenate(left_out)] = np.nan
    return replace(labels, forces=forces, torques=torques)


def _kept(fraction: float, particles: int) -> int:
    """Return how many of the first particles are kept, at least one of some."""
    return max(1, round(fraction * particles)) if particles else 0


def without_weightless(labels: TrainingLabels, weights: LabelWeights) -> TrainingLabels:
    """Return labels without the kinds whose weight is zero."""
    left_out = [field.name for field in fields(labels) if getattr(weights, field.name) == 0]
    return replace(labels, **{name: np.full_like(getattr(labels, name), np.nan) for name in left_out})


def particles_at_a_time(features: int) -> int:
    """Return how many particles a block has, so that it outweighs the triangle that it is added to."""
    return max(AT_A_TIME // (6 * features), features // 3, 1)
