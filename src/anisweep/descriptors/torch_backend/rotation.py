"""Matrices that turn real spherical harmonics, for many rotations at once.

R = Rz(alpha) Ry(beta) Rz(gamma). A rotation about z mixes m and -m; one about y is J Rz(-beta) J, with J the
exchange of y and z, so it is linear in cos(m beta) and sin(m beta).
"""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from anisweep.descriptors import harmonics


def swing(l: int) -> np.ndarray:
    """(2l + 1, (2l + 1)^2): a rotation about y by beta, in sin(l beta), ..., sin(beta), 1, cos(beta), ..."""
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
    """((2l + 1)^2, 3): what an infinitesimal rotation about x, y, z does to the components of l."""
    about_z = np.zeros((2 * l + 1, 2 * l + 1))
    for m in range(1, l + 1):
        about_z[l + m, l - m] = -m
        about_z[l - m, l + m] = m

    exchange = harmonics.swap(l)
    about_y = -exchange @ about_z @ exchange
    about_x = about_y @ about_z - about_z @ about_y
    return np.stack([about_x.ravel(), about_y.ravel(), about_z.ravel()], axis=1)


def turning(rotations: Tensor, swings: list[Tensor]) -> list[Tensor]:
    """For each l the matrices (count, 2l + 1, 2l + 1) that take components along body axes to space.

    Parameters
    ----------
    rotations : (count, 3, 3), proper: body -> space
    swings : of each l
    """
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
    """Euler's angles (count, 1).

    Near the poles alpha is known badly, and gamma, made of Rz(-alpha) R, makes up for it.
    """
    r = rotations
    alpha = torch.atan2(r[:, 1, 2], r[:, 0, 2])
    beta = torch.atan2(torch.sqrt(r[:, 0, 2] ** 2 + r[:, 1, 2] ** 2), r[:, 2, 2])

    cosine, sine = torch.cos(alpha), torch.sin(alpha)
    gamma = torch.atan2(cosine * r[:, 1, 0] - sine * r[:, 0, 0], cosine * r[:, 1, 1] - sine * r[:, 0, 1])
    return alpha[:, None], beta[:, None], gamma[:, None]


def turn(values: Tensor, matrices: list[Tensor], counts: list[int]) -> Tensor:
    """Each row of values (rows, features), in the order l, m, n, times its matrix of each l.

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
    """For each l the values as (rows, 2l + 1, n)."""
    widths = [(2 * l + 1) * count for l, count in enumerate(counts)]
    parts = values.split(widths, dim=1)
    return [
        part.unflatten(1, (2 * l + 1, count))
        for l, (part, count) in enumerate(zip(parts, counts, strict=True))
    ]


def torques(values: Tensor, cotangent: Tensor, tables: list[Tensor], counts: list[int]) -> Tensor:
    """(rows, 3): derivative of sum(values * cotangent), row by row, when the values are turned about x, y, z.

    Parameters
    ----------
    tables : ``generators`` of each l
    """
    total = values.new_zeros(len(values), 3)

    parts = zip(by_degree(values, counts), by_degree(cotangent, counts), tables, strict=True)
    for value, other, table in parts:
        total += torch.bmm(other, value.mT).flatten(1) @ table
    return total
