"""Compute coefficients of all centres from the Gaussians of all pairs, with their analytic derivatives.

Both are custom operators: autograd records one step, and `torch.compile` leaves it as it is. They work
through the pairs in chunks, so their own memory is bounded, and the backward pass computes a chunk's moments
again rather than keep them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import wraps
from itertools import pairwise
from typing import Any

import torch
from torch import Tensor

from anisweep.descriptors.torch_backend import moments, rotation
from anisweep.descriptors.torch_backend.moments import BasisTensors, Means


@dataclass(frozen=True)
class Groups:
    """Group the pairs of one centre with one particle: they share its axes, and are summed before rotation.

    Attributes
    ----------
    of_pair : (pairs,) group of each pair, never falling
    neighbour : (groups,) particle
    row : (groups,) of the result: the centre and the neighbour's species
    chunks : (chunks, 4) first pair, end of pairs, first group, end of groups; on the CPU. Chunks may
        share a group
    """

    of_pair: Tensor
    neighbour: Tensor
    row: Tensor
    chunks: Tensor


def expand(
    mean: Tensor,
    rho: Tensor,
    weight: Tensor,
    rotations: Tensor,
    rows: int,
    groups: Groups,
    tables: BasisTensors,
    contract: str,
    fused: bool,
) -> Tensor:
    """Return (rows, features) the features of all groups of a row, rotated to the lab frame and summed.

    Parameters
    ----------
    mean, rho : (pairs, 3) along the neighbours' axes, in the tables' precision; see `moments`
    weight : (pairs,)
    rotations : (particles, 3, 3) body -> lab frame, float64
    contract : ``tf32`` and ``bf16`` round the operands of the contraction; anything else does not
    fused : whether the kernels of `triton_kernel` do the work of `moments`
    """
    features: Tensor = torch.ops.anisweep.expand(
        mean,
        rho,
        weight,
        rotations,
        rows,
        _flat_groups(groups),
        _flat_tables(tables),
        tables.counts,
        tables.degree,
        contract,
        fused,
    )
    return features


def _flat_groups(groups: Groups) -> list[Tensor]:
    return [groups.of_pair, groups.neighbour, groups.row, groups.chunks]


def _flat_tables(tables: BasisTensors) -> list[Tensor]:
    return [tables.order, *tables.swings, *tables.generators, *tables.powers, *tables.matrices]


def _tables(flat: list[Tensor], counts: list[int], degree: int) -> BasisTensors:
    """Restore the tables that `_flat_tables` has flattened."""
    degrees = len(counts)
    blocks = (len(flat) - 1 - 2 * degrees) // 2
    ends = [1, 1 + degrees, 1 + 2 * degrees, 1 + 2 * degrees + blocks, len(flat)]
    swings, generators, powers, matrices = (flat[a:b] for a, b in pairwise(ends))
    return BasisTensors(counts, degree, powers, matrices, flat[0], swings, generators)


def _stage(fused: bool) -> Any:
    """Return the module that computes a chunk; both modules have the same functions."""
    if not fused:
        return moments

    from anisweep.descriptors.torch_backend import triton_kernel

    return triton_kernel


@dataclass(frozen=True)
class Chunk:
    """Hold a run of pairs, with the groups that it touches."""

    pairs: slice
    means: Means
    neighbour: Tensor
    row: Tensor


def _chunks(mean: Tensor, rho: Tensor, weight: Tensor, groups: Groups) -> Iterator[Chunk]:
    for first, end, group, last in groups.chunks.tolist():
        pairs, here = slice(first, end), slice(group, last)
        means = Means(mean[pairs], rho[pairs], weight[pairs], groups.of_pair[pairs] - group, last - group)
        yield Chunk(pairs, means, groups.neighbour[here], groups.row[here])


def _as_asked(function: Callable[..., Any]) -> Callable[..., Any]:
    """Return a function that torch.autocast does not change, and that launches on the GPU of its tensor."""

    @wraps(function)
    def computed(tensor: Tensor, *more: Any) -> Any:
        with torch.autocast(tensor.device.type, enabled=False), torch.cuda.device_of(tensor):
            return function(tensor, *more)

    return computed


@_as_asked
def _expand(
    mean: Tensor,
    rho: Tensor,
    weight: Tensor,
    rotations: Tensor,
    rows: int,
    groups: list[Tensor],
    flat: list[Tensor],
    counts: list[int],
    degree: int,
    contract: str,
    fused: bool,
) -> Tensor:
    stage, tables = _stage(fused), _tables(flat, counts, degree)
    matrices = _turning(rotations, tables, mean.dtype)
    total = mean.new_zeros(rows, tables.features)

    for chunk in _chunks(mean, rho, weight, Groups(*groups)):
        features = stage.group_features(chunk.means, tables, contract)
        turned = rotation.turn(features, [m[chunk.neighbour] for m in matrices], counts)
        total.index_add_(0, chunk.row, turned)
    return total


def _expand_shape(
    mean: Tensor, rho: Any, weight: Any, rotations: Any, rows: int, groups: Any, flat: list[Tensor], *_: Any
) -> Tensor:
    return mean.new_empty(rows, len(flat[0]))


@_as_asked
def _expand_backward(
    cotangent: Tensor,
    mean: Tensor,
    rho: Tensor,
    weight: Tensor,
    rotations: Tensor,
    groups: list[Tensor],
    flat: list[Tensor],
    counts: list[int],
    degree: int,
    contract: str,
    fused: bool,
) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    stage, tables = _stage(fused), _tables(flat, counts, degree)
    matrices = _turning(rotations, tables, mean.dtype)
    by_mean, by_rho, by_weight = torch.empty_like(mean), torch.empty_like(rho), torch.empty_like(weight)
    torque = rotations.new_zeros(len(rotations), 3)
    generators = [table.to(mean.dtype) for table in tables.generators]

    for chunk in _chunks(mean, rho, weight, Groups(*groups)):
        here = [m[chunk.neighbour].mT for m in matrices]
        by_features = rotation.turn(cotangent[chunk.row], here, counts)
        by_mean[chunk.pairs], by_rho[chunk.pairs], by_weight[chunk.pairs] = stage.pair_derivatives(
            chunk.means, by_features, tables, contract
        )

        features = stage.group_features(chunk.means, tables, contract)
        by_turning = rotation.torques(features, by_features, generators, counts)
        torque.index_add_(0, chunk.neighbour, by_turning.to(torque.dtype))

    return by_mean, by_rho, by_weight, rotation.along_rotations(rotations, torque)


def _turning(rotations: Tensor, tables: BasisTensors, dtype: torch.dtype) -> list[Tensor]:
    """Return the matrices of each l, made in float64 and rounded once."""
    return [m.to(dtype) for m in rotation.turning(rotations, tables.swings, tables.generators)]


def _expand_backward_shapes(
    cotangent: Any, mean: Tensor, rho: Tensor, weight: Tensor, rotations: Tensor, *_: Any
) -> tuple[Tensor, ...]:
    return tuple(torch.empty_like(tensor) for tensor in (mean, rho, weight, rotations))


def _remember(ctx: Any, inputs: tuple[Any, ...], output: Tensor) -> None:
    mean, rho, weight, rotations, _, groups, flat, *rest = inputs
    ctx.save_for_backward(mean, rho, weight, rotations, *groups, *flat)
    ctx.rest = rest


def _differentiate(ctx: Any, cotangent: Tensor) -> tuple[Any, ...]:
    mean, rho, weight, rotations, *tensors = ctx.saved_tensors
    *settings, fused = ctx.rest
    backward = torch.ops.anisweep.expand_backward
    if torch.is_grad_enabled():  # create_graph: its steps in plain Torch are recorded, and differentiable
        backward, fused = _expand_backward, False

    derivatives = backward(
        cotangent.contiguous(), mean, rho, weight, rotations, tensors[:4], tensors[4:], *settings, fused
    )
    no_groups, no_tables = [None] * 4, [None] * (len(tensors) - 4)
    return *derivatives, None, no_groups, no_tables, None, None, None, None


# The operators. torch.library.custom_op would do it in a line, but imports the compiler: 4 s.
_SETTINGS = "Tensor[] groups, Tensor[] tables, int[] counts, int degree, str contract, bool fused"
_MEANS = "Tensor mean, Tensor rho, Tensor weight, Tensor rotations"

LIBRARY = torch.library.Library("anisweep", "DEF")
LIBRARY.define(f"expand({_MEANS}, SymInt rows, {_SETTINGS}) -> Tensor")
LIBRARY.define(f"expand_backward(Tensor by_rows, {_MEANS}, {_SETTINGS}) -> (Tensor, Tensor, Tensor, Tensor)")
LIBRARY.impl("expand", _expand, "CompositeExplicitAutograd")
LIBRARY.impl("expand_backward", _expand_backward, "CompositeExplicitAutograd")

torch.library.register_fake("anisweep::expand", _expand_shape, lib=LIBRARY)
torch.library.register_fake("anisweep::expand_backward", _expand_backward_shapes, lib=LIBRARY)
torch.library.register_autograd("anisweep::expand", _differentiate, setup_context=_remember, lib=LIBRARY)
