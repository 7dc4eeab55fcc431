"""Compute energies and their derivatives by small neural networks, without Torch."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from anisweep.descriptors.arrays import FrameArrays
from anisweep.descriptors.gradients import Gradients, gradients
from anisweep.descriptors.projection import EllipsoidalDensityProjection
from anisweep.models import model_file
from anisweep.models.ridge import RidgeModel


@dataclass(frozen=True)
class Network:
    """Hold layers, of weights (outputs, inputs) and biases (outputs,), with x / (1 + exp(-x)) between."""

    layers: tuple[tuple[np.ndarray, np.ndarray], ...]

    def __call__(self, inputs: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return for each row of the inputs the one output, and its derivatives by the inputs."""
        *hidden, (last, bias) = self.layers
        states, slopes = inputs, []

        for weights, biases in hidden:
            sums = states @ weights.T + biases
            share = (1 + np.tanh(sums / 2)) / 2
            states = sums * share
            slopes.append(share * (1 + sums * (1 - share)))

        by_states: np.ndarray = np.broadcast_to(last, (len(inputs), last.shape[1]))
        for (weights, _), slope in zip(reversed(hidden), reversed(slopes), strict=True):
            by_states = (by_states * slope) @ weights
        return (states @ last.T + bias)[:, 0], by_states


@dataclass(frozen=True)
class NeuralModel:
    r"""Hold a linear model and a network for each species, which adds what is not linear.

    .. math:: E = E_\text{linear} + a \sum_i f_{s(i)}\left( W (\mathbf{p}_i - \bar{\mathbf{p}}) \right)

    `anisweep.models.train` makes it; to compute with it needs no Torch. It is used as a `RidgeModel` is.

    Attributes
    ----------
    linear : RidgeModel
        What the networks add to.
    mean, whitening : ndarray, shape (features,) and (inputs, features)
        They make features of one size and without correlations.
    scale : float
        Energy that outputs of the networks are multiplied by.
    networks : tuple of Network
        One for each species of the linear model.
    """

    linear: RidgeModel
    mean: np.ndarray
    whitening: np.ndarray
    scale: float
    networks: tuple[Network, ...]

    @property
    def projection(self) -> EllipsoidalDensityProjection:
        """Return what describes frames."""
        return self.linear.projection

    @property
    def species(self) -> tuple[int, ...]:
        """Return the species that were learned."""
        return self.linear.species

    @property
    def unit(self) -> str:
        """Return the unit of the energies."""
        return self.linear.unit

    def compute(self, frames: Any) -> tuple[np.ndarray, Gradients]:
        """Return energies of frames, with their forces, torques and derivatives by strain.

        Parameters
        ----------
        frames : list of Atoms, or FrameArrays
            What to compute.

        Returns
        -------
        energies : ndarray, shape (frames,)
            In the unit of those that were learned.
        gradients : Gradients
            The derivatives, with ``forces`` and ``torques`` of the particles of all frames in turn.

        Raises
        ------
        BadInput
            For frames, naming frame and particle, also for a species that was not learned.
        """
        arrays = self.linear.known(frames)
        energies, by_features = self._of_frames(arrays)
        features = self.linear.features
        _, derivatives = gradients(self.projection, arrays, by_features, features, True, species=self.species)
        return energies, derivatives

    def energies(self, frames: Any) -> np.ndarray:
        """Return the energies of frames, in the unit of those that were learned."""
        return self._of_frames(self.linear.known(frames))[0]

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the model into one file of JSON, which :func:`load` reads, as :meth:`RidgeModel.save` does.

        Parameters
        ----------
        path : str or Path
            The file, by custom with the ending ``.json``. An older one is replaced when the new one is whole.

        Raises
        ------
        OSError
            When it cannot be written.
        """
        networks = [[[part.tolist() for part in layer] for layer in each.layers] for each in self.networks]
        standard = {"mean": self.mean.tolist(), "whitening": self.whitening.tolist(), "scale": self.scale}
        content = {**self.linear.content(), "kind": "neural", **standard, "networks": networks}
        model_file.write(path, content)

    @classmethod
    def of(cls, content: Mapping[str, Any], linear: RidgeModel) -> NeuralModel:
        """Return the model that a file holds."""
        networks = tuple(
            Network(tuple((np.array(weights), np.array(biases)) for weights, biases in layers))
            for layers in content["networks"]
        )
        mean, whitening = np.array(content["mean"]), np.array(content["whitening"])
        return cls(linear, mean, whitening, content["scale"], networks)

    def _of_frames(self, arrays: FrameArrays) -> tuple[np.ndarray, np.ndarray]:
        """Return the energies, and their derivatives by the features of each centre."""
        described = self.projection.describe(arrays, self.linear.features, True, self.species)
        features = described.values
        inputs = (features - self.mean) @ self.whitening.T
        energies = features @ self.linear.weights
        by_features = np.tile(self.linear.weights, (len(features), 1))

        learned = zip(self.species, self.linear.intercepts, self.networks, strict=True)
        for species, intercept, network in learned:
            here = described.species == species
            added, by_inputs = network(inputs[here])
            energies[here] += intercept + self.scale * added
            by_features[here] += self.scale * by_inputs @ self.whitening
        return np.bincount(described.frame, energies, len(arrays.counts)), by_features
