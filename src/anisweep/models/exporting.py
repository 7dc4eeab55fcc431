"""Compile models ahead of time into a file that Torch computes from, for GPUs."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import torch
from ase import Atoms
from torch import Tensor

from anisweep.descriptors.arrays import DIAMETERS
from anisweep.descriptors.errors import BadInput
from anisweep.descriptors.gradients import Gradients
from anisweep.descriptors.projection import EllipsoidalDensityProjection
from anisweep.descriptors.torch_backend import Batch, Neighbours, TorchProjection
from anisweep.descriptors.torch_backend.expansion import Groups
from anisweep.descriptors.torch_backend.geometry import matrices_of
from anisweep.files import whole
from anisweep.models.in_torch import TorchModel
from anisweep.models.neural import NeuralModel
from anisweep.models.projections import hyperparameters_of
from anisweep.models.ridge import RidgeModel
from anisweep.models.training import silent_projection

#: Frames and particles in each, of the example that is traced: no two sizes of its tensors are the same.
EXAMPLE = (11, 8)

#: So much that all pairs are one chunk, of which the compiled code has no more.
MEMORY = 2**62

#: Largest error of what is compiled, over the largest value, for frames of other sizes.
TOLERANCES = {"fp64": 1e-12, "fp32": 5e-5}

#: What counts the rows of the tensors of `flat`; there is always one chunk.
GEOMETRY = ("particles", "frames", "particles", "particles")
NEAR = ("pairs", "pairs", "pairs", "particles", "frames")
GROUPS = ("pairs", "groups", "groups")


def flat(batch: Batch, kinds: Tensor) -> tuple[Tensor, ...]:
    """Return the tensors of a batch, contiguous: compiled code reads others wrongly, and says nothing."""
    near, groups = batch.neighbours, batch.neighbours.groups
    tensors = (
        *(batch.positions, batch.cells, batch.orientations, batch.diameters),
        *(near.centre, near.neighbour, near.cells, near.frame, near.counts),
        *(groups.of_pair, groups.neighbour, groups.row, groups.chunks, kinds),
    )
    return tuple(tensor.contiguous() for tensor in tensors)


def batch_from(species: tuple[int, ...], tensors: tuple[Tensor, ...]) -> tuple[Batch, Tensor]:
    """Return the batch and the kinds that `flat` made flat."""
    x, cells, rotations, diameters, centre, neighbour, images, frame, counts, *groups, kinds = tensors
    near = Neighbours(centre, neighbour, images, frame, counts, species, Groups(*groups))
    return Batch(x, cells, rotations, diameters, near), kinds


@dataclass(frozen=True)
class ExportedModel:
    """Compute with a compiled model; it is used as a `RidgeModel` is.

    Attributes
    ----------
    projection : TorchProjection
        What finds the neighbours.
    species : tuple of int
        Those that were learned.
    unit : str
        Unit of the energies.
    package : callable
        The compiled code, of the tensors of `flat`.
    """

    projection: TorchProjection
    species: tuple[int, ...]
    unit: str
    package: Any

    def compute(self, frames: Any) -> tuple[np.ndarray, Gradients]:
        """Return energies of frames, with their forces, torques and derivatives by strain.

        Raises
        ------
        BadInput
            For frames, naming frame and particle, also for a species that was not learned.
        """
        arrays = self.projection.gather(frames)
        batch = self.projection.batch(arrays, self.species)
        kinds = torch.tensor(arrays.places(np.array(self.species)), device=self.projection.device)

        found = self.package(*flat(batch, kinds))
        energies, forces, torques, strain = (part.cpu().numpy() for part in found)
        return energies, Gradients(-forces, -torques, strain, None, arrays)


def export(
    model: RidgeModel | NeuralModel,
    path: str | os.PathLike[str],
    device: str = "cuda",
    precision: str = "fp64",
) -> None:
    """Compile a model, with its derivatives, into a file for one kind of device.

    It takes a minute and needs a C++ compiler. On a CPU the model itself, by the C kernels, is far faster.

    Parameters
    ----------
    model : RidgeModel or NeuralModel
        What to compile.
    path : str or Path
        The file, whose name ends in ``.pt2``. An older one is replaced when the new one is whole.
    device : str
        Of Torch; the file works on devices of this kind alone.
    precision : str
        ``fp64`` or ``fp32``; geometry and energies are float64.

    Raises
    ------
    BadInput
        For another precision or name.
    RuntimeError
        When the compiled code does not give what the model gives, in frames of other sizes.
    """
    if precision not in TOLERANCES:
        raise BadInput(f"precision must be one of {', '.join(TOLERANCES)}, not {precision!r}")
    if Path(path).suffix != ".pt2":
        raise BadInput(f"{path}: the name must end in .pt2")

    settings = {"device": device, "precision": precision, "memory": MEMORY}
    in_torch = TorchModel.of(model, **settings, fused=False)
    about = {
        "hyperparameters": hyperparameters_of(model.projection),
        "settings": settings,
        "species": list(model.species),
        "unit": model.unit,
    }

    with TemporaryDirectory() as folder:
        file = os.path.join(folder, "model.pt2")
        configs = {"aot_inductor.metadata": {"anisweep": json.dumps(about)}}
        with _same_bits_each_time(device):
            torch._inductor.aoti_compile_and_package(
                _traced(in_torch), package_path=file, inductor_configs=configs
            )
        _check(load_exported(file), in_torch, TOLERANCES[precision])
        with whole(Path(path)) as stream:
            stream.write(Path(file).read_bytes())


@contextmanager
def _same_bits_each_time(device: str) -> Iterator[None]:
    """Let Torch compile sums on a CPU that do not depend on which thread comes first."""
    before = torch.are_deterministic_algorithms_enabled()
    torch.use_deterministic_algorithms(before or torch.device(device).type == "cpu")
    try:
        yield
    finally:
        torch.use_deterministic_algorithms(before)


def load_exported(path: str | os.PathLike[str]) -> ExportedModel:
    """Read a model that `export` compiled. It is a program: load no file that you do not trust.

    Raises
    ------
    OSError
        When there is no such file.
    BadInput
        When `export` did not write it.
    """
    Path(path).stat()  # of a missing file Torch says what it likes
    try:
        package = torch._inductor.aoti_load_package(os.fspath(path))
        about = json.loads(package.get_metadata()["anisweep"])
    except (RuntimeError, KeyError):
        raise BadInput(
            f"{path}: it is no model, or not whole: give a file that models.export wrote"
        ) from None

    projection = silent_projection(about["hyperparameters"], about["settings"])
    return ExportedModel(projection, tuple(about["species"]), about["unit"], package)


def _traced(in_torch: TorchModel) -> Any:
    """Return the program that computes energies and derivatives, for any numbers of frames and particles."""
    from torch.fx.experimental.proxy_tensor import make_fx

    example = flat(*in_torch.batch(_frames(in_torch.projection, in_torch.species, *EXAMPLE)))

    def compute(*tensors: Tensor) -> tuple[Tensor, ...]:
        return in_torch.derivatives(*batch_from(in_torch.species, tensors))

    counts = {name: torch.export.Dim(name, min=1, max=2**40) for name in (*GEOMETRY, *GROUPS)}
    dynamic = (*({0: counts[name]} for name in (*GEOMETRY, *NEAR, *GROUPS)), {}, {0: counts["particles"]})
    graph = make_fx(compute, tracing_mode="symbolic", _allow_non_fake_inputs=True)(*example)
    return torch.export.export(graph, example, dynamic_shapes=dynamic)


def _frames(
    projection: EllipsoidalDensityProjection, species: tuple[int, ...], count: int, particles: int
) -> list[Atoms]:
    """Return frames of particles anywhere, in cells so small that each meets several images of another."""
    rng = np.random.default_rng(count)
    edge = 0.8 * projection.cutoff_radius
    frames = []

    for _ in range(count):
        numbers = np.resize(species, particles)
        frame = Atoms(numbers, rng.uniform(0, edge, (particles, 3)), cell=[edge] * 3, pbc=True)
        turns = torch.from_numpy(rng.normal(size=(particles, 4)))
        matrices = projection.rotation_type == "matrix"
        frame.arrays[projection.rotation_key] = (matrices_of(turns) if matrices else turns).numpy()
        frame.arrays |= {name: rng.uniform(0.2, 0.4, particles) * edge for name in DIAMETERS}
        frames.append(frame)
    return frames


def _check(exported: ExportedModel, in_torch: TorchModel, tolerance: float) -> None:
    """Raise ``RuntimeError`` unless the compiled code gives the same for other sizes."""
    for count, particles in ((1, 3), (3, 5), (5, 4)):
        frames = _frames(in_torch.projection, in_torch.species, count, particles)
        batch, kinds = in_torch.batch(frames)
        expected = in_torch.derivatives(batch, kinds)

        for got, right in zip(exported.package(*flat(batch, kinds)), expected, strict=True):
            error = float((got - right).abs().max() / right.abs().max())
            if not error <= tolerance:
                raise RuntimeError(f"the compiled model is wrong by {error:.2g}: it was not written")
