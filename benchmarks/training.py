"""Time a training step on forces and torques, by the C kernels and by the steps in Torch."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from unittest import mock

import torch
from ase import Atoms

from anisweep.descriptors.torch_backend import TorchProjection, on_kernels
from benchmarks._contenders import Basis, hypers
from benchmarks._network import training_step
from benchmarks._systems import DISC, dense
from benchmarks._timing import ratios, take_turns

#: Frames, and particles of each; as dense as the ellipsoids.
SIZES = ((32, 2), (8, 16), (2, 64))
DENSITY = 1 / 193.494

BASES: tuple[Basis, ...] = ((6, None), (9, 6))


def run(smoke: bool) -> None:
    """Print the figures; with ``smoke`` for one small set of frames."""
    torch.set_num_threads(1)

    for basis in BASES[:1] if smoke else BASES:
        for count, particles in ((2, 2),) if smoke else SIZES:
            frames = [dense(particles, DISC, seed, density=DENSITY) for seed in range(count)]
            times = take_turns(ways(basis, frames))
            ours, whole, named = (times[name] for name in ("kernels", "torch", "torch, parameters named"))
            print(
                f"  lmax {basis[0]}, nmax {basis[1]}, {count} x {particles}: {min(ours) * 1e3:.2f} ms "
                f"by the kernels; in Torch {ratios(whole, ours).median:.1f} times as long, and "
                f"{ratios(named, ours).median:.1f} times where the parameters are named",
                flush=True,
            )


def ways(basis: Basis, frames: list[Atoms]) -> dict[str, Callable[[], None]]:
    """A step of a network of two layers of 64, in three ways."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        projection = TorchProjection(**hypers(basis), cutoff_smoothing=0.5)

    step = training_step(projection, projection.batch(frames))

    def in_torch(named: bool) -> None:
        with mock.patch.object(on_kernels, "can_derive", return_value=False):
            step(named)

    return {
        "kernels": lambda: step(True),
        "torch": lambda: in_torch(False),
        "torch, parameters named": lambda: in_torch(True),
    }
