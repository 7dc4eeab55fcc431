"""Compute features from the Gaussians of pairs, by their moments along three axes: batched over all pairs.

Along one axis, in units of the scale s, with mean a and rho = 1 - 2 variance / s^2:

    E_0 = 1,    E_{p+1} = sqrt(2 / (p+1)) a E_p - sqrt(p / (p+1)) rho E_{p-1},
    dE_p / da = sqrt(2p) E_{p-1},    dE_p / d rho = -1/2 sqrt(p (p-1)) E_{p-2}.

For the GTO basis |rho| < 1, and the E_p stay of order one.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import sqrt

import torch
from torch import Tensor


@dataclass(frozen=True)
class BasisTensors:
    """Hold what a basis fixes, as tensors of one device and precision: see `oscillator` and `rotation`.

    Attributes
    ----------
    counts : radial functions for each l
    degree : highest p, q, r
    powers : for each block (3, products)
    matrices : for each block (products, features)
    order : (features,) where each feature stands among the blocks' features, one block after another
    swings, generators : for each l, float64
    """

    counts: list[int]
    degree: int
    powers: list[Tensor]
    matrices: list[Tensor]
    order: Tensor
    swings: list[Tensor]
    generators: list[Tensor]

    @property
    def features(self) -> int:
        """Return the number of features of one centre and neighbour species."""
        return len(self.order)


@dataclass(frozen=True)
class Means:
    """Hold the Gaussians of a run of pairs, times their weights, along the axes of their neighbours.

    Attributes
    ----------
    mean, rho : (pairs, 3)
    weight : (pairs,)
    group : (pairs,) from 0, never falling
    groups : how many there are
    """

    mean: Tensor
    rho: Tensor
    weight: Tensor
    group: Tensor
    groups: int


def along_axes(means: Means, degree: int) -> Tensor:
    """Return (3, degree + 1, pairs) the moments E_p along each axis."""
    mean, rho = means.mean.T, means.rho.T
    values = [torch.ones_like(mean)]

    for p in range(degree):
        value = sqrt(2 / (p + 1)) * mean * values[p]
        values.append(value if p == 0 else value - sqrt(p / (p + 1)) * rho * values[p - 1])
    return torch.stack(values, dim=1)


def group_features(means: Means, tables: BasisTensors, contract: str) -> Tensor:
    """Return (groups, features) sums over the pairs of each group, in the order l, m, n."""
    values = along_axes(means, tables.degree)
    x, y, z = values[0] * means.weight, values[1], values[2]
    parts = []

    for powers, matrix in zip(tables.powers, tables.matrices, strict=True):
        products = x[powers[0]] * y[powers[1]] * z[powers[2]]
        sums = products.new_zeros(len(matrix), means.groups).index_add_(1, means.group, products)
        parts.append(multiply(sums.T, matrix, contract))
    return torch.cat(parts, dim=1)[:, tables.order]


def pair_derivatives(
    means: Means, cotangent: Tensor, tables: BasisTensors, contract: str
) -> tuple[Tensor, Tensor, Tensor]:
    """Return the derivatives by mean (pairs, 3), rho (pairs, 3) and weight (pairs,).

    Parameters
    ----------
    cotangent : (groups, features) by the group's features
    """
    values = along_axes(means, tables.degree)
    x, y, z = values[0], values[1], values[2]
    by_values = torch.zeros_like(values)

    for powers, by_sums in zip(tables.powers, by_products(cotangent, tables, contract), strict=True):
        share = by_sums[:, means.group]
        xp, yq, zr = x[powers[0]], y[powers[1]], z[powers[2]]
        by_values[0].index_add_(0, powers[0], share * yq * zr)
        by_values[1].index_add_(0, powers[1], share * xp * zr)
        by_values[2].index_add_(0, powers[2], share * xp * yq)

    by_mean = (slopes_of(values) * by_values).sum(1) * means.weight
    by_rho = (bends_of(values) * by_values).sum(1) * means.weight
    return by_mean.T, by_rho.T, (x * by_values[0]).sum(0)


def by_products(cotangent: Tensor, tables: BasisTensors, contract: str) -> list[Tensor]:
    """Convert derivatives by a group's features to those by its products: (products, groups) a block."""
    ordered = torch.empty_like(cotangent)
    ordered[:, tables.order] = cotangent
    parts = ordered.split([matrix.shape[1] for matrix in tables.matrices], dim=1)
    return [multiply(matrix, part.T, contract) for matrix, part in zip(tables.matrices, parts, strict=True)]


def slopes_of(values: Tensor) -> Tensor:
    """Return dE_p / da of values (3, degree + 1, pairs)."""
    p = torch.arange(values.shape[1], device=values.device, dtype=values.dtype)[:, None]
    return torch.sqrt(2 * p) * values.roll(1, dims=1)


def bends_of(values: Tensor) -> Tensor:
    """Return dE_p / d rho of values (3, degree + 1, pairs)."""
    p = torch.arange(values.shape[1], device=values.device, dtype=values.dtype)[:, None]
    return -0.5 * torch.sqrt(p * (p - 1)) * values.roll(2, dims=1)


def multiply(left: Tensor, right: Tensor, contract: str) -> Tensor:
    """Return a matrix product, its operands rounded to bfloat16 or, on CUDA, TensorFloat-32 if asked."""
    if contract == "bf16":
        return (left.bfloat16() @ right.bfloat16()).to(left.dtype)
    if contract != "tf32":
        return left @ right

    # Torch before 2.9 has the older of the two names; a newer one refuses it beside the new.
    settings = torch.backends.cuda.matmul
    name, value = ("fp32_precision", "tf32") if hasattr(settings, "fp32_precision") else ("allow_tf32", True)
    before = getattr(settings, name)
    setattr(settings, name, value)
    try:
        return left @ right
    finally:
        setattr(settings, name, before)
