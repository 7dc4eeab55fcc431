"""Give tasks an energy that is linear in the power spectrum, for the C kernels and for Torch.

Its weights are drawn at random, always the same, and scaled such that forces on the given frames are
1 eV/Angstrom as a root mean square. The cutoff is smooth, so that the energy has derivatives everywhere.
"""

from __future__ import annotations

import os
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from anisweep.cell import Hypers
from anisweep.models import RidgeModel
from anisweep.models.projections import hyperparameters_of, projection_of

if TYPE_CHECKING:
    from torch import Tensor

#: Angstrom below the cutoff over which neighbours fade.
SMOOTHING = 1.0


def linear_energy(hypers: Hypers, frames: list[Any]) -> RidgeModel:
    """Return the energy as a model of the C kernels."""
    settings = hypers.arguments | {"rotation_key": "c_q", "cutoff_smoothing": SMOOTHING}
    projection = projection_of(settings, int(os.environ.get("OMP_NUM_THREADS", "1")))
    species = projection.gather(frames).species

    features = projection.describe(frames[:1], species=species.tolist()).values.shape[1]
    weights = np.asarray(np.random.default_rng(1).normal(size=features))
    model = RidgeModel(projection, weights, np.zeros(len(species)), tuple(species.tolist()), "eV")

    _, derivatives = model.compute(frames)
    size = np.sqrt((derivatives.forces**2).sum(axis=1).mean())
    return replace(model, weights=np.divide(weights, size or 1.0))


@dataclass(frozen=True)
class TorchEnergy:
    """Compute the same energy in Torch.

    Attributes
    ----------
    projection : a `TorchProjection`
    weights : (features,)
    species : those of the neighbours
    """

    projection: Any
    weights: Tensor
    species: tuple[int, ...]

    @classmethod
    def of(cls, model: RidgeModel, **settings: Any) -> TorchEnergy:
        """Return the energy of a model; settings are those that only `TorchProjection` has."""
        import torch

        from anisweep.descriptors.torch_backend import TorchProjection

        projection = TorchProjection(**hyperparameters_of(model.projection), **settings)
        return cls(projection, torch.from_numpy(model.weights).to(projection.dtype), model.species)

    def batch(self, frames: list[Any]) -> Any:
        """Return frames as tensors, with their neighbours."""
        return self.projection.batch(frames, self.species)

    def energies(self, batch: Any) -> Tensor:
        """Return the energy of each frame."""
        return batch.neighbours.counts * (self.projection.power_spectrum_of(batch) @ self.weights)

    def derivatives(self, batch: Any) -> tuple[Tensor, Tensor, Tensor]:
        """Return energies (frames,), forces and torques (particles, 3)."""
        import torch

        positions, q = (part.detach().requires_grad_() for part in (batch.positions, batch.orientations))
        energies = self.energies(replace(batch, positions=positions, orientations=q))
        by_positions, by_q = torch.autograd.grad(energies.sum(), (positions, q))

        # A turn by theta changes q by (0, theta) q / 2.
        scalar, vector, q = by_q[:, :1], by_q[:, 1:], q.detach()
        by_turns = (q[:, :1] * vector - scalar * q[:, 1:] + torch.linalg.cross(q[:, 1:], vector)) / 2
        return energies.detach(), -by_positions, -by_turns
