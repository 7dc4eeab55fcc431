"""Let the C kernels compute what Torch differentiates, on a CPU in fp64 and fp32; geometry is float64.

With J the derivatives of the features by positions, cells and orientations, the kernels give the features,
J^T g as their backward pass, and J v as the backward pass of that. So a loss of forces is derived by the
weights of a model without second derivatives of the features. Where these are asked for, by positions or
turns twice, they come from the steps in Torch.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.utils._python_dispatch import is_in_torch_dispatch_mode

from anisweep.descriptors import arrays as frame_arrays
from anisweep.descriptors.arrays import FrameArrays
from anisweep.descriptors.gradients import Gradients
from anisweep.descriptors.kernels.run import Backward, Forward, WantedOutput, compute
from anisweep.descriptors.kernels.structures import BasisTables
from anisweep.descriptors.torch_backend.batch import Batch

#: For positions, cells and quaternions; None stands for zeros.
Directions = tuple[Tensor | None, ...]


def geometry_of(batch: Batch) -> tuple[Tensor, Tensor, Tensor]:
    """Return what the kernels derive by."""
    return batch.positions, batch.cells, batch.orientations


def can_derive(batch: Batch) -> bool:
    """Return True where derivatives of the batch are wanted, and are among those that the kernels have.

    These are by positions, cells and quaternions, of frames with the neighbours that they were read with;
    not by diameters or matrices. What is traced, compiled or counted keeps its steps in Torch.
    """
    geometry, read = geometry_of(batch), batch.read
    wanted = torch.is_grad_enabled() and any(part.requires_grad for part in geometry)
    if not wanted or batch.diameters.requires_grad or read is None or read.neighbours is not batch.neighbours:
        return False

    there = (read.arrays.positions, read.arrays.cells, read.arrays.rotations)
    return (
        all(part.shape == array.shape for part, array in zip(geometry, there, strict=True))
        and all(part.is_cpu and part.dtype == torch.float64 for part in (*geometry, batch.diameters))
        and not torch.compiler.is_compiling()
        and not is_in_torch_dispatch_mode()
    )


@dataclass(frozen=True)
class KernelCall:
    """Hold what the kernels need beside positions, cells and quaternions.

    Attributes
    ----------
    tables : the basis
    arrays : the frames as they were read
    species : those of the neighbours, sorted
    wanted : which features
    rotation_key : what errors call the orientations
    in_torch : returns the same features by steps in Torch
    """

    tables: BasisTables
    arrays: FrameArrays
    species: np.ndarray
    wanted: WantedOutput
    rotation_key: str
    in_torch: Callable[[Tensor, Tensor, Tensor], Tensor]

    def features(self, *geometry: Tensor) -> Tensor:
        """Return the features, which can be derived any number of times.

        Raises
        ------
        BadInput
            for positions, cells and quaternions that are none, naming frame and particle
        """
        frame_arrays.check(self.at(geometry), self.rotation_key)
        features: Tensor = _Features.apply(self, *geometry)  # type: ignore[no-untyped-call]
        return features

    def at(self, geometry: tuple[Tensor, ...]) -> FrameArrays:
        """Return the frames with these positions, cells and quaternions."""
        positions, cells, rotations = (np.ascontiguousarray(part.detach().numpy()) for part in geometry)
        return replace(self.arrays, positions=positions, cells=cells, rotations=rotations)

    def run(self, arrays: FrameArrays, *, backward: Backward | None = None, forward: Any = None) -> Tensor:
        """Call the kernels with as many threads as Torch has."""
        threads = torch.get_num_threads()
        values, _ = compute(
            self.tables, arrays, self.species, self.wanted, threads, backward, forward=forward
        )
        return torch.from_numpy(values)

    def twice(self, cotangent: Tensor, geometry: list[Tensor], directions: Directions) -> tuple[Any, ...]:
        """Return partial derivatives of g J v by g and by the geometry, from the steps in Torch."""
        recorded = torch.is_grad_enabled()
        if all(v is None for v in directions):
            return None, None, None, None

        with torch.enable_grad():
            leaves = [_apart(part) for part in (cotangent, *geometry)]
            features = self.in_torch(*leaves[1:])
            slopes = torch.autograd.grad(features, leaves[1:], leaves[0], create_graph=True)
            along = [(s * v).sum() for s, v in zip(slopes, directions, strict=True) if v is not None]
            found: tuple[Any, ...] = torch.autograd.grad(sum(along), leaves, create_graph=recorded)
            return found


def _apart(tensor: Tensor) -> Tensor:
    """Return the tensor such that what else depends on it does not count for derivatives by it."""
    return tensor.view_as(tensor) if tensor.requires_grad else tensor.detach().requires_grad_()


class _Features(torch.autograd.Function):  # type: ignore[misc]
    """Compute the features."""

    @staticmethod
    def forward(ctx: Any, call: KernelCall, *geometry: Tensor) -> Tensor:
        ctx.call = call
        ctx.save_for_backward(*geometry)
        return call.run(call.at(geometry))

    @staticmethod
    def backward(ctx: Any, cotangent: Tensor) -> Any:
        geometry = ctx.saved_tensors
        later = _Later.apply(ctx.call, (cotangent,), *geometry)  # type: ignore[no-untyped-call]
        return None, *_Backward.apply(ctx.call, cotangent, *later, *geometry)  # type: ignore[no-untyped-call]


class _Backward(torch.autograd.Function):  # type: ignore[misc]
    """Compute J^T g; the geometry comes twice, by way of `_Later` and as it is."""

    @staticmethod
    def forward(ctx: Any, call: KernelCall, cotangent: Tensor, *geometry: Tensor) -> Any:
        ctx.call = call
        ctx.set_materialize_grads(False)
        geometry = geometry[3:]
        ctx.save_for_backward(cotangent, *geometry)

        arrays = call.at(geometry)
        backward = Backward(
            np.ascontiguousarray(cotangent.detach().numpy()),
            positions=np.zeros_like(arrays.positions),
            rotations=np.zeros_like(arrays.positions),
            strain=np.zeros_like(arrays.cells),
            diameters=None,
        )
        call.run(arrays, backward=backward)

        found = Gradients(backward.positions, backward.rotations, backward.strain, None, arrays)
        cells = torch.from_numpy(found.cells) if geometry[1].requires_grad else None
        return torch.from_numpy(found.positions), cells, torch.from_numpy(found.quaternions)

    @staticmethod
    def backward(ctx: Any, *directions: Tensor | None) -> Any:
        """Return J v, and the directions v for `_Later`."""
        cotangent, *geometry = ctx.saved_tensors
        by_cotangent = None

        if ctx.needs_input_grad[1] and torch.is_grad_enabled():
            by_cotangent, *_ = ctx.call.twice(cotangent, geometry, directions)
        elif ctx.needs_input_grad[1]:
            arrays = ctx.call.at(geometry)
            by_cotangent = ctx.call.run(arrays, forward=_forward(arrays, directions))
        return None, by_cotangent, *directions, None, None, None


class _Later(torch.autograd.Function):  # type: ignore[misc]
    """Hand positions, cells and quaternions to `_Backward`, whose derivatives by them are computed here.

    Autograd calls `backward` only where something needs them, which weights of a model do not; so the
    cotangent, which comes from these, is no input. It brings the directions v, in place of derivatives.
    """

    @staticmethod
    def forward(ctx: Any, call: KernelCall, cotangent: tuple[Tensor], *geometry: Tensor) -> Any:
        ctx.call, ctx.cotangent = call, cotangent
        ctx.set_materialize_grads(False)
        ctx.save_for_backward(*geometry)
        return tuple(part.view_as(part) for part in geometry)

    @staticmethod
    def backward(ctx: Any, *directions: Tensor | None) -> Any:
        _, *by_geometry = ctx.call.twice(*ctx.cotangent, ctx.saved_tensors, directions)
        return None, None, *by_geometry


def _forward(arrays: FrameArrays, directions: Directions) -> Forward:
    """Return directions of positions, cells and quaternions as displacements, turns and strains."""
    positions, cells, quaternions = (None if v is None else v.detach().numpy() for v in directions)
    still = np.zeros_like(arrays.positions)
    displacements = still if positions is None else np.ascontiguousarray(positions)
    turns = still if quaternions is None else _turns(arrays.rotations, quaternions)
    if cells is None:
        return Forward(displacements, turns, None)

    # Cells change at fixed positions: a strain, and displacements that undo it.
    periodic = np.where(arrays.periodic[:, :, None] > 0, arrays.cells, 0.0)
    strains = np.linalg.pinv(periodic) @ cells
    frame = np.repeat(np.arange(len(strains)), arrays.counts)
    undone = np.einsum("ik,ikl->il", arrays.positions, strains[frame])
    return Forward(displacements - undone, turns, strains)


def _turns(quaternions: np.ndarray, directions: np.ndarray) -> np.ndarray:
    """Return the turns along directions of quaternions: the transpose of `Gradients.quaternions`."""
    q, v = torch.from_numpy(quaternions), torch.from_numpy(directions)
    turned = q[:, :1] * v[:, 1:] - v[:, :1] * q[:, 1:] + torch.linalg.cross(q[:, 1:], v[:, 1:])
    turns: np.ndarray = (turned * 2 / (q * q).sum(dim=1, keepdim=True)).numpy()
    return turns
