"""Define a training step on forces and torques: what a model of two layers of 64 takes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import torch

from anisweep.descriptors.torch_backend import Batch, TorchProjection


def training_step(projection: TorchProjection, batch: Batch) -> Callable[[bool], None]:
    """A step of a network; where its parameters are named, Torch derives by nothing else."""
    with torch.no_grad():
        spectrum = projection.power_spectrum_of(batch, per_centre=True)
    size, features = spectrum.abs().max(), spectrum.shape[1]
    linear, silu = torch.nn.Linear, torch.nn.SiLU
    network = torch.nn.Sequential(
        linear(features, 64), silu(), linear(64, 64), silu(), linear(64, 1, bias=False)
    ).to(projection.device, projection.dtype)

    def step(named: bool) -> None:
        network.zero_grad()
        x, q = (part.detach().requires_grad_() for part in (batch.positions, batch.orientations))
        moved = replace(batch, positions=x, orientations=q)
        energy = network(projection.power_spectrum_of(moved, per_centre=True) / size).sum()
        by_x, by_q = torch.autograd.grad(energy, (x, q), create_graph=True)
        loss = (by_x**2).mean() + (by_q**2).mean()
        loss.backward(inputs=list(network.parameters()) if named else None)

    return step
