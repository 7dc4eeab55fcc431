"""Check features, first and second derivatives of a GPU, in each precision, against the C kernels."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import torch
from torch import Tensor

from anisweep.descriptors.arrays import FrameArrays
from anisweep.descriptors.torch_backend import Batch, TorchProjection
from benchmarks import _contenders as contenders
from benchmarks._contenders import Basis
from benchmarks._gpu_journal import Checked, Journal
from benchmarks._gpu_ways import CORE, Way, in_torch, system

#: Of each precision, for features, derivatives, and derivatives of these.
BOUNDS = {
    "fp64": (1e-12, 1e-11, 1e-10),
    "fp32": (1e-5, 1e-5, 1e-4),
    "tf32": (1e-2, 1e-2, 5e-2),
    "bf16": (5e-2, 5e-2, 2e-1),
}

SHAPES = ([3.0, 3.0, 1.0], [3.0, 2.0, 1.0], [2.0, 2.0, 2.0], [1.0, 3.0, 3.0])


def check(journal: Journal, ways: list[Way], bases: tuple[Basis, ...], pairs: int, device: str) -> None:
    """Keep the errors of all ways, for a system of so many pairs."""
    arrays = mixed(pairs)
    for basis in bases:
        expected = results(in_torch(CORE, basis, "cpu"), arrays)
        expected[0] = contenders.projection(basis).power_spectrum(arrays)

        for way in ways:
            name = f"{way.name}, lmax {basis[0]}"

            def compute(way: Way = way, basis: Basis = basis) -> list[np.ndarray]:
                return results(in_torch(way, basis, device), arrays)

            found = journal.attempt(f"check of {name}", compute)
            if found is not None:
                record(journal, way, name, found, expected)


def record(
    journal: Journal, way: Way, name: str, found: list[np.ndarray], expected: list[np.ndarray]
) -> None:
    """Keep the errors of one way."""
    for what, ours, theirs, bound in zip(
        ("features", "derivatives", "second derivatives"), found, expected, BOUNDS[way.precision], strict=True
    ):
        error = float(np.abs(ours - theirs).max() / np.abs(theirs).max())
        print(f"  {name}, {what}: {error:.1e} (at most {bound:.0e})", flush=True)
        journal.add(Checked(f"{name}, {what}", error, bound))


def mixed(pairs: int) -> FrameArrays:
    """Two species and all kinds of shapes."""
    arrays = system(pairs)
    particles = len(arrays.positions)
    arrays.diameters[:] = np.resize(SHAPES, (particles, 3))
    arrays.numbers[:] = 1 + np.arange(particles) % 2
    return arrays


def results(projection: TorchProjection, arrays: FrameArrays) -> list[np.ndarray]:
    """Features, derivatives of an energy by positions and turns, and what a loss of forces takes."""
    batch = projection.batch(arrays)
    with torch.no_grad():
        features = projection.power_spectrum_of(batch)

    first = derived(projection, batch, recorded=False)
    second = derived(projection, batch, recorded=True)
    return [features.cpu().numpy(), joined(first), joined(second)]


def derived(projection: TorchProjection, batch: Batch, recorded: bool) -> tuple[Tensor, ...]:
    """Derivatives of a sum of squares; where recorded, the derivatives of their squares."""
    leaves = [part.detach().requires_grad_() for part in (batch.positions, batch.orientations)]
    moved = replace(batch, positions=leaves[0], orientations=leaves[1])
    spectrum = projection.power_spectrum_of(moved, per_centre=True)
    energy = (spectrum / spectrum.detach().abs().max()).square().sum()

    slopes = torch.autograd.grad(energy, leaves, create_graph=recorded)
    if not recorded:
        return slopes
    return torch.autograd.grad(sum(each.square().sum() for each in slopes), leaves)


def joined(parts: tuple[Tensor, ...]) -> np.ndarray:
    """All numbers in one column."""
    return np.concatenate([part.detach().cpu().numpy().ravel() for part in parts])
