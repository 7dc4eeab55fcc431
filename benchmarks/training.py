"""Time a training step on forces and torques, by the C kernels and by the steps in Torch."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from unittest import mock

import torch
from ase import Atoms

from anisweep.descriptors.torch_backend import TorchProjection, on_kernels
from benchmarks import _record
from benchmarks._contenders import Basis, hypers
from benchmarks._network import training_step
from benchmarks._systems import DISC, dense
from benchmarks._timing import Spread, ratios, take_turns

#: Frames, and particles of each; as dense as the ellipsoids.
SIZES = ((32, 2), (8, 16), (2, 64))
DENSITY = 1 / 193.494

BASES: tuple[Basis, ...] = ((6, None), (9, 6))

KERNELS, IN_TORCH = "kernels", "torch"


@dataclass(frozen=True)
class Step:
    """One way to make a step of training.

    Attributes
    ----------
    particles : of each frame
    seconds : of energies, forces and torques of all frames, and of the derivatives of their squares
    over_kernels : its time over that of the kernels in fp64, turn by turn
    """

    frames: int
    particles: int
    lmax: int
    max_radial: int | None
    way: str
    seconds: float
    over_kernels: Spread


def run(smoke: bool) -> None:
    """Print the figures and keep them; with ``smoke`` for one small set of frames."""
    torch.set_num_threads(1)

    steps = [
        step
        for basis in (BASES[:1] if smoke else BASES)
        for size in (((2, 2),) if smoke else SIZES)
        for step in steps_of(basis, *size)
    ]
    _record.keep("training", steps, smoke)


def steps_of(basis: Basis, count: int, particles: int) -> Iterator[Step]:
    """All ways for some frames, in turns."""
    times = take_turns(ways(basis, [dense(particles, DISC, seed, density=DENSITY) for seed in range(count)]))

    for way, values in times.items():
        step = Step(count, particles, *basis, way, Spread.of(values).median, ratios(values, times[KERNELS]))
        what = f"lmax {basis[0]}, nmax {basis[1]}, {count} x {particles}, {way}"
        print(f"  {what:52} {1e3 * step.seconds:8.2f} ms  {step.over_kernels.median:.2f}", flush=True)
        yield step


def ways(basis: Basis, frames: list[Atoms]) -> dict[str, Callable[[], None]]:
    """A step of a network of two layers of 64, in four ways."""
    steps = {precision: step_of(basis, frames, precision) for precision in ("fp64", "fp32")}

    def in_torch(named: bool) -> None:
        with mock.patch.object(on_kernels, "can_derive", return_value=False):
            steps["fp64"](named)

    return {
        KERNELS: lambda: steps["fp64"](True),
        "kernels, fp32": lambda: steps["fp32"](True),
        IN_TORCH: lambda: in_torch(False),
        "torch, parameters named": lambda: in_torch(True),
    }


def step_of(basis: Basis, frames: list[Atoms], precision: str) -> Callable[[bool], None]:
    """A step in one precision, with neighbours found before."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        projection = TorchProjection(**hypers(basis), precision=precision, cutoff_smoothing=0.5)
    return training_step(projection, projection.batch(frames))
