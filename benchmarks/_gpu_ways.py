"""Define what is timed on a GPU; Triton, ASE and anisoap are imported only by what needs them."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from dataclasses import dataclass, replace
from math import ceil, sqrt
from typing import Any

import numpy as np
import torch
from torch import Tensor

from anisweep.descriptors.arrays import FrameArrays
from anisweep.descriptors.gradients import gradients
from anisweep.descriptors.torch_backend import Batch, TorchProjection
from benchmarks import _contenders as contenders
from benchmarks._contenders import Basis
from benchmarks._network import training_step

Work = Callable[[], Any]

DISC = (3.0, 3.0, 1.0)

#: Cells of so many particles and so many pairs, at the density of the other benchmarks.
CELL, DENSITY, PAIRS_OF_A_CELL = 20, 0.0621, 1_780

#: All pairs of a cluster this wide are within the cutoff.
EDGE = 4.0

#: `torch_full` makes about ten calls for each pair.
MOST_PAIRS_OF_TORCH_FULL = 3_000


@dataclass(frozen=True)
class Way:
    """A precision, on the GPU or on one core of its machine; ``fused`` lets Triton's kernels do a part."""

    name: str
    precision: str = "fp64"
    fused: bool = False
    device: str = ""


CORE = Way("one core", device="cpu")
TORCH = [Way(f"torch {precision}", precision) for precision in ("fp64", "fp32", "tf32", "bf16")]
TRITON = [Way(f"triton {precision}", precision, True) for precision in ("fp64", "fp32", "tf32")]
TORCH_FULL = Way("torch_full fp64")

#: Of each task. Second derivatives are plain Torch, so Triton has no training step of its own.
WAYS = {
    "features": [CORE, *TORCH, *TRITON, TORCH_FULL],
    "forces": [CORE, *TORCH[:2], *TRITON],
    "training step": [CORE, *TORCH[:2]],
    "dynamics step": [CORE, TORCH[1], *TRITON[:2]],
}


def system(pairs: int) -> FrameArrays:
    """Discs with about so many ordered pairs: an open cluster, or so many periodic cells."""
    frames = ceil(pairs / PAIRS_OF_A_CELL - 0.5) or 1
    periodic = pairs >= PAIRS_OF_A_CELL // 2
    particles = CELL if periodic else ceil((1 + sqrt(1 + 4 * pairs)) / 2)
    edge = (CELL / DENSITY) ** (1 / 3) if periodic else EDGE

    generator = np.random.default_rng(pairs)
    arrays = FrameArrays.empty("quaternion", np.full(frames, particles), first=0)
    arrays.positions[:] = generator.uniform(0, edge, arrays.positions.shape)
    arrays.rotations[:] = generator.normal(size=arrays.rotations.shape)
    arrays.diameters[:], arrays.numbers[:] = DISC, 1
    arrays.cells[:], arrays.periodic[:] = np.eye(3) * edge, periodic
    return arrays


def work(task: str, way: Way, basis: Basis, arrays: FrameArrays, device: str) -> tuple[Work, Counted]:
    """What is timed, with its inputs where they are needed, and the operations that it takes."""
    if way is TORCH_FULL:
        return torch_full(basis, arrays, device), Counted()
    if way is CORE and task != "training step":
        return on_host(task, basis, arrays), Counted()

    projection = in_torch(way, basis, device)
    if task == "dynamics step":
        return lambda: [part.cpu() for part in slopes(projection, projection.batch(arrays))], Counted()

    batch = projection.batch(arrays)
    if task == "training step":
        step = training_step(projection, batch)
        return lambda: step(True), Counted()
    if task == "forces":
        return lambda: slopes(projection, batch), Counted()
    return lambda: described(projection, batch), Counted.of(projection, batch)


def in_torch(way: Way, basis: Basis, device: str) -> TorchProjection:
    """Ours in Torch."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        hypers = contenders.hypers(basis)
        return TorchProjection(**hypers, device=device, precision=way.precision, fused=way.fused)


def on_host(task: str, basis: Basis, arrays: FrameArrays) -> Work:
    """The kernels in C, which find the neighbours as well."""
    ours = contenders.projection(basis)
    if task == "features":
        return lambda: ours.power_spectrum(arrays)
    return lambda: gradients(ours, arrays, 1.0)


def described(projection: TorchProjection, batch: Batch) -> Tensor:
    """Power spectra, without derivatives."""
    with torch.no_grad():
        return projection.power_spectrum_of(batch)


def slopes(projection: TorchProjection, batch: Batch) -> tuple[Tensor, ...]:
    """Derivatives of a linear energy by positions, cells and quaternions."""
    leaves = [part.detach().requires_grad_() for part in (batch.positions, batch.cells, batch.orientations)]
    x, cells, q = leaves
    moved = replace(batch, positions=x, cells=cells, orientations=q)
    return torch.autograd.grad(projection.power_spectrum_of(moved).sum(), leaves)


def torch_full(basis: Basis, arrays: FrameArrays, device: str) -> Work:
    """The published algorithm on the GPU; it needs anisoap and ASE."""
    from ase import Atoms

    function = contenders.torch_full(basis, device)
    frames = []
    for number, (start, end) in enumerate(zip(arrays.start[:-1], arrays.start[1:], strict=True)):
        here = slice(int(start), int(end))
        cell, pbc = arrays.cells[number], arrays.periodic[number] > 0
        frame = Atoms(arrays.numbers[here], positions=arrays.positions[here], cell=cell, pbc=pbc)
        frame.arrays["c_q"] = arrays.rotations[here]
        for axis in range(3):
            frame.arrays[f"c_diameter[{axis + 1}]"] = arrays.diameters[here, axis]
        frames.append(frame)
    return lambda: function(frames)


@dataclass(frozen=True)
class Counted:
    """Additions and multiplications of all features, and bytes that must be read and written; 0: unknown."""

    operations: int = 0
    bytes: int = 0

    @classmethod
    def of(cls, projection: TorchProjection, batch: Batch) -> Counted:
        """Count those of a batch: moments along axes, products, contraction, rotation, spectrum."""
        tables, near = projection.torch_tables, batch.neighbours
        pairs, groups, centres = len(near.centre), len(near.groups.row), len(batch.positions)
        counts = list(enumerate(tables.counts))
        products = sum(len(matrix) for matrix in tables.matrices)
        axes = 3 * (tables.degree + 1)

        operations = pairs * (4 * axes + 3 * products)
        operations += 2 * groups * sum(matrix.numel() for matrix in tables.matrices)
        operations += 2 * groups * sum((2 * l + 1) ** 2 * n for l, n in counts)
        operations += 2 * centres * sum((2 * l + 1) * n * n for l, n in counts)

        numbers = pairs * (7 + 2 * axes) + 3 * groups * tables.features
        numbers += centres * (2 * tables.features + sum(n * n for _, n in counts))
        return cls(operations, numbers * projection.dtype.itemsize)
