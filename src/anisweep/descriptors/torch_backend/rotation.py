"""Compute the matrices that rotate real spherical harmonics, for many rotations at once.

R = Rz(alpha) Ry(beta) Rz(gamma). A rotation about z mixes m and -m; one about y is J Rz(-beta) J, with J the
exchange of y and z, so it is linear in cos(m beta) and sin(m beta).

The angles have no derivatives at the poles, so they are never differentiated. The matrices D have them
everywhere: under R -> R (1 + [theta]) each becomes D (1 + sum_k theta_k G_k), with the generators G_k.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import Tensor

from anisweep.descriptors import harmonics


def swing(l: int) -> np.ndarray:
    """Return (2l + 1, (2l + 1)^2) rotations about y by beta, as factors of sin(m beta), 1 and cos(m beta).

    Rows run sin(l beta), ..., sin(beta), 1, cos(beta), ..., cos(l beta).
    """
    exchange, size = harmonics.swap(l), 2 * l + 1
    parts = np.zeros((size, size, size))

    for m in range(l + 1):
        plus, minus = exchange[:, l + m], exchange[:, l - m]
        if m == 0:
            parts[l] = np.outer(plus, plus)
        else:
            parts[l + m] = np.outer(plus, plus) + np.outer(minus, minus)
            parts[l - m] = np.outer(plus, minus) - np.outer(minus, plus)
    return parts.reshape(size, -1)


def generators(l: int) -> np.ndarray:
    """Return ((2l + 1)^2, 3) the generators of rotations about x, y, z, for the components of l."""
    about_z = np.zeros((2 * l + 1, 2 * l + 1))
    for m in range(1, l + 1):
        about_z[l + m, l - m] = -m
        about_z[l - m, l + m] = m

    exchange = harmonics.swap(l)
    about_y = -exchange @ about_z @ exchange
    about_x = about_y @ about_z - about_z @ about_y
    return np.stack([about_x.ravel(), about_y.ravel(), about_z.ravel()], axis=1)


def turning(rotations: Tensor, swings: list[Tensor], generators: list[Tensor]) -> list[Tensor]:
    """Return for each l the matrices (count, 2l + 1, 2l + 1) from the body to the lab frame.

    Derivatives of every order are exact along the rotations, also where Euler's angles have none.

    Parameters
    ----------
    rotations : (count, 3, 3), proper: body -> lab frame
    swings, generators : of each l, in the precision of the rotations
    """
    if not torch.is_grad_enabled():
        return _by_angles(rotations, swings)
    return list(_Turning.apply(rotations, swings, *generators))


class _Turning(torch.autograd.Function):  # type: ignore[misc]  # which has no types
    """Compute the matrices, with derivatives that are made of the matrices and so differentiable too."""

    @staticmethod
    def forward(rotations: Tensor, swings: list[Tensor], *generators: Tensor) -> tuple[Tensor, ...]:
        """Return the matrix of each l."""
        return tuple(_by_angles(rotations, swings))

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Any, ...], output: tuple[Tensor, ...]) -> None:
        """Keep the rotations, the generators and the matrices for the derivatives."""
        rotations, _, *generators = inputs
        ctx.save_for_backward(rotations, *generators, *output)

    @staticmethod
    def backward(ctx: Any, *cotangents: Tensor) -> tuple[Tensor | None, ...]:
        """Return the gradient by the rotations, and none by the tables."""
        rotations, *tensors = ctx.saved_tensors
        degrees = len(cotangents)
        tables, matrices = tensors[:degrees], tensors[degrees:]

        torque = rotations.new_zeros(len(rotations), 3)
        for matrix, cotangent, table in zip(matrices, cotangents, tables, strict=True):
            torque = torque + torch.bmm(matrix.mT, cotangent).flatten(1) @ table
        return along_rotations(rotations, torque), None, *[None] * degrees


def along_rotations(rotations: Tensor, torque: Tensor) -> Tensor:
    """Return the gradient (count, 3, 3) by rotations R, from that by theta of R (1 + [theta]).

    It is R [torque] / 2, which keeps R a rotation.
    """
    return 0.5 * rotations @ cross(torque)


def cross(vectors: Tensor) -> Tensor:
    """Return the matrices (count, 3, 3) that take the cross product with vectors (count, 3)."""
    x, y, z = vectors.unbind(1)
    zero = torch.zeros_like(x)
    return torch.stack([zero, -z, y, z, zero, -x, -y, x, zero], dim=1).unflatten(1, (3, 3))


def _by_angles(rotations: Tensor, swings: list[Tensor]) -> list[Tensor]:
    """Return the matrices of each l, made of Euler's angles."""
    alpha, beta, gamma = _angles(rotations)
    matrices = []

    for l, table in enumerate(swings):
        m = torch.arange(-l, l + 1, device=rotations.device)
        about_y = torch.where(m < 0, torch.sin(-m * beta), torch.cos(m * beta)) @ table
        matrix = about_y.reshape(-1, 2 * l + 1, 2 * l + 1)

        cosine, sine = torch.cos(m * alpha)[:, :, None], torch.sin(-m * alpha)[:, :, None]
        matrix = cosine * matrix + sine * matrix.flip(1)
        cosine, sine = torch.cos(m * gamma)[:, None], torch.sin(m * gamma)[:, None]
        matrices.append(cosine * matrix + sine * matrix.flip(2))
    return matrices


def _angles(rotations: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Return Euler's angles (count, 1).

    Near the poles alpha is known badly, and gamma, made of Rz(-alpha) R, makes up for it.
    """
    r = rotations
    alpha = torch.atan2(r[:, 1, 2], r[:, 0, 2])
    beta = torch.atan2(torch.sqrt(r[:, 0, 2] ** 2 + r[:, 1, 2] ** 2), r[:, 2, 2])

    cosine, sine = torch.cos(alpha), torch.sin(alpha)
    gamma = torch.atan2(cosine * r[:, 1, 0] - sine * r[:, 0, 0], cosine * r[:, 1, 1] - sine * r[:, 0, 1])
    return alpha[:, None], beta[:, None], gamma[:, None]


def turn(values: Tensor, matrices: list[Tensor], counts: list[int]) -> Tensor:
    """Multiply each row of values (rows, features), in the order l, m, n, by its matrix of each l.

    Parameters
    ----------
    matrices : for each l (rows, 2l + 1, 2l + 1)
    counts : radial functions for each l
    """
    return torch.cat(
        [
            torch.bmm(matrix, part).flatten(1)
            for matrix, part in zip(matrices, by_degree(values, counts), strict=True)
        ],
        dim=1,
    )


def by_degree(values: Tensor, counts: list[int]) -> list[Tensor]:
    """Return for each l the values as (rows, 2l + 1, n)."""
    widths = [(2 * l + 1) * count for l, count in enumerate(counts)]
    parts = values.split(widths, dim=1)
    return [
        part.unflatten(1, (2 * l + 1, count))
        for l, (part, count) in enumerate(zip(parts, counts, strict=True))
    ]


def torques(values: Tensor, cotangent: Tensor, tables: list[Tensor], counts: list[int]) -> Tensor:
    """Return (rows, 3) derivatives of sum(values * cotangent) when a row is rotated about x, y, z.

    Parameters
    ----------
    tables : ``generators`` of each l
    """
    total = values.new_zeros(len(values), 3)

    parts = zip(by_degree(values, counts), by_degree(cotangent, counts), tables, strict=True)
    for value, other, table in parts:
        total += torch.bmm(other, value.mT).flatten(1) @ table
    return total
