"""Compute in Torch what a model computes: energies, and their derivatives."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from torch import Tensor

from anisweep.descriptors.torch_backend import Batch, TorchProjection
from anisweep.models.neural import NeuralModel
from anisweep.models.projections import hyperparameters_of
from anisweep.models.ridge import RidgeModel
from anisweep.models.training import outputs_of, silent_projection, torques_of

#: Energies, forces, torques, slopes by strain.
ModelDerivatives = tuple[Tensor, Tensor, Tensor, Tensor]


@dataclass(frozen=True)
class TorchModel:
    """Hold the numbers of a model as tensors.

    Attributes
    ----------
    projection : TorchProjection
    features : ``power_spectrum`` or ``pair_features``
    species : those that were learned
    weights, intercepts : (features,) and (species,)
    mean, whitening, scale, networks : as of `NeuralModel`; a linear model has no networks
    """

    projection: TorchProjection
    features: str
    species: tuple[int, ...]
    weights: Tensor
    intercepts: Tensor
    mean: Tensor
    whitening: Tensor
    scale: float
    networks: tuple[Any, ...]

    @classmethod
    def of(cls, model: RidgeModel | NeuralModel, **settings: Any) -> TorchModel:
        """Return a model in Torch; the settings are those that only `TorchProjection` has."""
        projection = silent_projection(hyperparameters_of(model.projection), settings)

        def tensor(numbers: Any) -> Tensor:
            return torch.tensor(np.asarray(numbers), dtype=projection.dtype, device=projection.device)

        linear = model.linear if isinstance(model, NeuralModel) else model
        made = {"mean": tensor(0.0), "whitening": tensor(0.0), "scale": 0.0, "networks": ()}
        if isinstance(model, NeuralModel):
            layers = [[tuple(map(tensor, layer)) for layer in network.layers] for network in model.networks]
            made = {"mean": tensor(model.mean), "whitening": tensor(model.whitening.T)}
            made |= {"scale": model.scale, "networks": tuple(layers)}

        numbers = tensor(linear.weights), tensor(linear.intercepts)
        return cls(projection, linear.features, linear.species, *numbers, **made)

    def batch(self, frames: Any) -> tuple[Batch, Tensor]:
        """Return frames as tensors, and the place of each particle's species among those learned."""
        arrays = self.projection.gather(frames)
        batch = self.projection.batch(arrays, self.species)
        return batch, torch.tensor(arrays.places(np.array(self.species)), device=self.projection.device)

    def energies(self, batch: Batch, kinds: Tensor) -> Tensor:
        """Return the energy of each frame, in float64."""
        features = getattr(self.projection, f"{self.features}_of")(batch, per_centre=True)
        energies = features @ self.weights + self.intercepts[kinds]

        for place, layers in enumerate(self.networks):
            added = self.scale * outputs_of(layers, (features - self.mean) @ self.whitening)
            energies = energies + torch.where(kinds == place, added, 0.0)
        return torch.zeros_like(batch.cells[:, 0, 0]).index_add(0, batch.neighbours.frame, energies.double())

    def derivatives(self, batch: Batch, kinds: Tensor) -> ModelDerivatives:
        """Return energies (frames,), forces, torques (particles, 3) and slopes by strain (frames, 3, 3)."""
        return derivatives_of(self.energies, batch, kinds)


def derivatives_of(
    energies_of: Callable[[Batch, Tensor], Tensor], batch: Batch, kinds: Tensor
) -> ModelDerivatives:
    """Return energies (frames,), forces, torques (particles, 3) and slopes by strain (frames, 3, 3)."""
    x, q = (part.detach().requires_grad_() for part in (batch.positions, batch.orientations))
    strain = torch.zeros_like(batch.cells).requires_grad_()
    strained = x + torch.einsum("ik,ikl->il", x, strain[batch.neighbours.frame])
    moved = replace(batch, positions=strained, cells=batch.cells + batch.cells @ strain, orientations=q)

    energies = energies_of(moved, kinds)
    by_x, by_q, by_strain = torch.autograd.grad(energies.sum(), (x, q, strain))
    return energies.detach(), -by_x, torques_of(q.detach(), by_q), by_strain
