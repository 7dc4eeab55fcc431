"""Compute the Gaussian of each pair from positions, cells, orientations and diameters, in few steps.

With u the displacement along the axes of the neighbour, a_k its semiaxes and sigma the width of the envelope,

    share_k = 1 / (1 + a_k^2 / sigma^2),  mean_k = share_k u_k,  variance_k = share_k a_k^2,
    weight = f(r) prod_k sqrt(share_k) exp(-share_k u_k^2 / 2 sigma^2),

where f is 1, or fades within `smoothing` of the cutoff. The monomial basis has no envelope: share_k is 1.
"""

from __future__ import annotations

from math import pi

import torch
from torch import Tensor

from anisweep.descriptors.torch_backend.batch import Neighbours


def matrices_of(orientations: Tensor) -> Tensor:
    """Return (particles, 3, 3) matrices body -> lab frame, of quaternions of any length; matrices stay."""
    if orientations.dim() == 3:
        return orientations

    length = torch.linalg.vector_norm(orientations, dim=1, keepdim=True)
    w, x, y, z = (orientations / length).unbind(1)
    rows = [
        1 - 2 * (y * y + z * z), 2 * (x * y - z * w), 2 * (x * z + y * w),
        2 * (x * y + z * w), 1 - 2 * (x * x + z * z), 2 * (y * z - x * w),
        2 * (x * z - y * w), 2 * (y * z + x * w), 1 - 2 * (x * x + y * y),
    ]  # fmt: skip
    return torch.stack(rows, dim=1).unflatten(1, (3, 3))


def displacements(positions: Tensor, cells: Tensor, near: Neighbours) -> Tensor:
    """Return (pairs, 3) the vectors from centre to neighbour, in the lab frame."""
    images = torch.einsum("pk,pkx->px", near.cells, cells[near.frame[near.centre]])
    return positions[near.neighbour] - positions[near.centre] + images


def gaussians(
    r: Tensor, rotations: Tensor, diameters: Tensor, width2: float, scale: float
) -> tuple[Tensor, Tensor, Tensor]:
    """Return mean and rho (pairs, 3), see `moments`, and weight (pairs,) of the Gaussians.

    Parameters
    ----------
    r : (pairs, 3) in the lab frame
    rotations, diameters : (pairs, 3, 3) and (pairs, 3) of the neighbours
    width2 : sigma^2, or infinity
    scale : s of the oscillator
    """
    u = torch.einsum("px,pxk->pk", r, rotations)
    squared = 0.25 * diameters**2
    share = 1 / (1 + squared / width2)

    # The derivative of `prod` asks the GPU whether there are zeros, and waits for the answer.
    volume = torch.sqrt(share[:, 0] * share[:, 1] * share[:, 2])
    weight = volume * torch.exp(-0.5 / width2 * (share * u * u).sum(dim=1))
    return share * u / scale, 1 - (2 / scale**2) * share * squared, weight


def fading(r: Tensor, cutoff: float, smoothing: float) -> Tensor:
    """Return (pairs,) sin^2(pi/2 (cutoff - r) / smoothing) within `smoothing` of the cutoff, else 1."""
    squared = (r * r).sum(dim=1)
    fades = squared > (cutoff - smoothing) ** 2
    # A root has no derivative at zero, where each particle is from itself.
    length = torch.sqrt(torch.where(fades, squared, cutoff**2))
    share = ((cutoff - length) / smoothing).clamp(0, 1)
    return torch.where(fades, torch.sin(0.5 * pi * share) ** 2, 1.0)
