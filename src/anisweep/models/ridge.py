"""Fit linear models of energies in closed form, to energies, forces, torques and stresses."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from anisweep.descriptors.arrays import FrameArrays
from anisweep.descriptors.errors import BadInput
from anisweep.descriptors.gradients import Gradients, gradients
from anisweep.descriptors.kernels.run import Output
from anisweep.descriptors.projection import EllipsoidalDensityProjection
from anisweep.models import model_file
from anisweep.models.equations import NormalEquations
from anisweep.models.labels import LabelWeights, TrainingLabels
from anisweep.models.projections import hyperparameters_of
from anisweep.models.rows import FitRows
from anisweep.models.settings import FitSettings


@dataclass(frozen=True)
class RidgeModel:
    r"""Hold a linear model of energies on features, with its exact derivatives.

    .. math:: E = \sum_i \left( b_{s(i)} + \mathbf{w} \cdot \mathbf{p}_i \right)

    with the intercept :math:`b` of each centre's species :math:`s(i)` and the same weights for all centres.
    Forces are :math:`-\partial E / \partial \mathbf{x}`, torques :math:`-\partial E / \partial
    \boldsymbol{\theta}` for turns by the rotation vector :math:`\boldsymbol{\theta}` in the lab frame, and
    the stress is the symmetric part of :math:`\partial E / \partial \epsilon` over the volume.

    Attributes
    ----------
    projection : EllipsoidalDensityProjection
        Keeps isolated centres, so that each particle counts.
    weights : ndarray, shape (features,)
        In the unit of the energies.
    intercepts : ndarray, shape (species,)
        Energy of a particle; zero where no energies were learned, so that only differences of energies mean
        something.
    species : tuple of int
        Those that were fitted; a frame may have fewer, and no others.
    unit : str
        Unit of the energies, in a word for readers; nothing is computed with it.
    features : str
        ``power_spectrum`` or ``pair_features``.

    Examples
    --------
    >>> import numpy as np
    >>> from ase import Atoms
    >>> from anisweep.descriptors import EllipsoidalDensityProjection
    >>> from anisweep.models import RidgeCalculator, RidgeModel
    >>> projection = EllipsoidalDensityProjection(
    ...     max_angular=4, radial_basis_name="gto", cutoff_radius=7.0, radial_gaussian_width=1.5
    ... )

    Pairs of spheres that attract each other at a distance:

    >>> def pair(distance):
    ...     frame = Atoms("X2", positions=[[0, 0, 0], [distance, 0, 0]])
    ...     frame.arrays["quaternion"] = np.array([[1.0, 0, 0, 0]] * 2)
    ...     for axis in (1, 2, 3):
    ...         frame.arrays[f"c_diameter[{axis}]"] = np.full(2, 2.0)
    ...     return frame
    >>> distances = np.linspace(3, 6, 31)
    >>> model = RidgeModel.fit(projection, [pair(d) for d in distances], -np.exp(-distances))
    >>> frame = pair(4.05)
    >>> frame.calc = RidgeCalculator(model)
    >>> bool(abs(frame.get_potential_energy() + np.exp(-4.05)) < 1e-3)
    True
    >>> bool(frame.get_forces()[1, 0] < 0)  # towards the other
    True

    The same from the forces on both, where there are no energies:

    >>> pulls = [np.exp(-d) * np.array([[1, 0, 0], [-1, 0, 0]]) for d in distances]
    >>> model = RidgeModel.fit(projection, [pair(d) for d in distances], forces=pulls)
    >>> one, other = model.energies([pair(4.05), pair(5.05)])
    >>> bool(abs(other - one - (np.exp(-4.05) - np.exp(-5.05))) < 1e-3)
    True
    """

    projection: EllipsoidalDensityProjection
    weights: np.ndarray
    intercepts: np.ndarray
    species: tuple[int, ...]
    unit: str = ""
    features: Output = "power_spectrum"

    @classmethod
    def fit(
        cls,
        projection: EllipsoidalDensityProjection,
        frames: Any,
        energies: Sequence[float | None] | None = None,
        alpha: float = 1e-6,
        *,
        forces: Any = None,
        torques: Any = None,
        stresses: Any = None,
        weights: LabelWeights | None = None,
        force_fraction: float = 1.0,
        seed: int = 0,
        unit: str = "",
        features: Output = "power_spectrum",
    ) -> RidgeModel:
        """Fit weights and intercepts by least squares, in closed form.

        Errors are those of the energy per particle, and of each component of forces, torques and stresses,
        each divided by how much the labels of its kind spread (`LabelWeights`). All units come from one unit
        of energy, with Angstrom and radian. Any kind alone is enough, and a frame without a label of some
        kind counts for the others. Without energies the intercepts are zero: then only differences of
        energies between frames of the same particles mean something.

        Memory does not grow with the frames. It is that of a block, or of the derivatives of the largest
        frame: 48 bytes for each particle and feature, a few times.

        Parameters
        ----------
        projection : EllipsoidalDensityProjection
            Keeps isolated centres.
        frames : list of Atoms
            What to learn from; a species need not be in all of them.
        energies : list of float or None, optional
            One for each frame, in any unit, which is then the model's; None for a frame without one.
        alpha : float
            Ridge, relative to the largest eigenvalue of the normal matrix of the features: for energies
            alone, of the features' covariance.
        forces : list of ndarray or None, or ndarray of shape (particles of all frames, 3), optional
            Minus the derivatives of the energy by positions, in its unit per Angstrom: an array for each
            frame, None for one without; or one of all particles.
        torques : list of ndarray or None, or ndarray of shape (particles of all frames, 3), optional
            In the same form, in the unit of energy: minus the derivatives by turns, as rotation vectors in
            the lab frame, so that a torque points along the axis about which it turns.
        stresses : list of ndarray or None, optional
            For each frame, of shape (3, 3), or (6,) for xx, yy, zz, yz, xz, xy: derivatives of the energy by
            strain, at fixed orientations, over the volume, in its unit per cubic Angstrom.
        weights : LabelWeights, optional
            What the squared errors of each kind are multiplied by; 1, when left out.
        force_fraction : float
            Learn from the forces and torques of so large a part of the particles, chosen at random. The time
            goes with it.
        seed : int
            Of this choice.
        unit : str
            Unit of the energies, for readers of the model's file, for example ``kcal/mol``.
        features : str
            ``power_spectrum``, or ``pair_features``, which are few and learn pair potentials.

        Returns
        -------
        RidgeModel
            The fitted model.

        Raises
        ------
        BadInput
            For frames, naming frame and particle; for labels that are missing, of another shape or not
            finite, naming frame and particle; for an energy of a frame without particles, a stress of one
            that is not periodic, a negative alpha or weight, a fraction that is not in (0, 1]; for a
            projection that drops isolated centres.
        """
        settings = FitSettings(
            alpha, LabelWeights() if weights is None else weights, force_fraction, seed, features, unit
        )
        settings.require_all_centres(projection)
        arrays = projection.gather(frames)

        labels = TrainingLabels.of(arrays, energies, forces, torques, stresses)
        labels = settings.wanted(labels, arrays)
        labels.require_any()
        equations = FitRows(projection, arrays, arrays.species, labels, features).equations()
        return cls.solving(equations, projection, arrays.species, settings)

    @classmethod
    def solving(
        cls,
        equations: NormalEquations,
        projection: EllipsoidalDensityProjection,
        species: np.ndarray,
        settings: FitSettings,
    ) -> RidgeModel:
        """Return the model whose weights solve what labelled frames say."""
        intercepts, weights = equations.solve(settings.alpha, settings.weights)
        known = tuple(species.tolist())
        return cls(projection, weights, intercepts, known, settings.unit, settings.features)

    def compute(self, frames: Any) -> tuple[np.ndarray, Gradients]:
        """Return energies of frames, with their forces, torques and derivatives by strain.

        Parameters
        ----------
        frames : list of Atoms, or FrameArrays
            What to compute; dynamics move arrays, as ``projection.gather`` returns them.

        Returns
        -------
        energies : ndarray, shape (frames,)
            In the unit of those that were fitted.
        gradients : Gradients
            The derivatives, with ``forces`` and ``torques`` of the particles of all frames in turn.

        Raises
        ------
        BadInput
            For frames, naming frame and particle, also for a species that was not learned.
        """
        arrays = self.known(frames)
        by_features = arrays.counts[:, None] * self.weights
        features, derivatives = gradients(
            self.projection, arrays, by_features, self.features, species=self.species
        )
        return arrays.counts * (features @ self.weights) + self._alone(arrays), derivatives

    def energies(self, frames: Any) -> np.ndarray:
        """Return the energies of frames, in the unit of those that were fitted."""
        arrays = self.known(frames)
        features = self.projection.describe(arrays, self.features, species=self.species).values
        energies: np.ndarray = arrays.counts * (features @ self.weights) + self._alone(arrays)
        return energies

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the model into one file of JSON, which :func:`load` reads.

        It holds weights, intercepts, species, hyperparameters, units, the versions of what wrote it and a
        digest of all of it.

        Parameters
        ----------
        path : str or Path
            The file, by custom with the ending ``.json``. An older one is replaced when the new one is whole.

        Raises
        ------
        OSError
            When it cannot be written.
        """
        model_file.write(path, self.content())

    def content(self) -> dict[str, Any]:
        """Return what the model's file holds, as plain values."""
        return {
            "kind": "ridge",
            "features": self.features,
            "units": {"energy": str(self.unit), "length": "Angstrom", "angle": "radian"},
            "hyperparameters": hyperparameters_of(self.projection),
            "species": [int(kind) for kind in self.species],
            "intercepts": self.intercepts.tolist(),
            "weights": self.weights.tolist(),
        }

    def known(self, frames: Any) -> FrameArrays:
        """Return the arrays of frames, all of whose particles are of species that were learned."""
        arrays = self.projection.gather(frames)
        unknown = set(arrays.species.tolist()) - set(self.species)
        if not unknown:
            return arrays

        particle = int(np.flatnonzero(np.isin(arrays.numbers, list(unknown)))[0])
        raise BadInput(
            f"{arrays.where(particle)}: species {arrays.numbers[particle]} is not among those given: "
            f"{list(self.species)}. The model learned from frames with these alone; species that are no "
            "elements are read by anisweep.read_particles"
        )

    def _alone(self, arrays: FrameArrays) -> np.ndarray:
        """Return the intercepts of the particles of each frame, added up."""
        frame = np.repeat(np.arange(len(arrays.counts)), arrays.counts)
        kinds = len(self.species)
        places = frame * kinds + arrays.places(np.array(self.species))
        counts = np.bincount(places, minlength=len(arrays.counts) * kinds).reshape(-1, kinds)
        energies: np.ndarray = counts @ self.intercepts
        return energies
