"""Orientations of a user's frame as quaternions (w, x, y, z), body -> space."""

from __future__ import annotations

from typing import Any

import numpy as np
from ase import Atoms

from anisweep.datasets.arrays import array_of
from anisweep.datasets.canonical import IDENTITY, normalised
from anisweep.datasets.errors import Place

#: How far R R^T may be from the identity: enough for matrices written with seven digits.
ORTHONORMAL = 1e-5

ZERO_NORM = 1e-6

Array = np.ndarray[Any, Any]


def quaternions_of(atoms: Atoms, name: str | None, place: Place) -> Array:
    """Orientations from an array of quaternions or rotation matrices.

    Parameters
    ----------
    name : array of shape (N, 4), quaternions (w, x, y, z) of any norm; or (N, 3, 3) or (N, 9), rotation
        matrices that turn body vectors into space vectors, row by row. ``None``: the identity.

    Returns
    -------
    array
        Shape (N, 4), quaternions of any norm as they were given.

    Raises
    ------
    DataError
        For a missing array, another shape, a zero quaternion, a matrix that is no rotation.
    """
    if name is None:
        return np.tile(IDENTITY, (len(atoms), 1))

    values = array_of(atoms, name, place)
    inner = values.shape[1:]

    if inner == (4,):
        _check_quaternions(values, name, place)
        return values

    if inner in ((9,), (3, 3)):
        matrices = values.reshape(-1, 3, 3)
        _check_rotations(matrices, name, place)
        return from_matrices(matrices)

    raise place.error(
        f"array {name}",
        f"its shape is {values.shape}",
        f"({len(atoms)}, 4) for quaternions, ({len(atoms)}, 3, 3) or ({len(atoms)}, 9) for matrices",
        "name another array in `orientations:`",
    )


def _check_quaternions(values: Array, name: str, place: Place) -> None:
    small = np.flatnonzero(np.linalg.norm(values, axis=1) < ZERO_NORM)

    if len(small):
        came = f"particle {small[0]} has the quaternion {values[small[0]].tolist()}"
        remedy = "write 1 0 0 0 where there is no rotation"
        raise place.error(f"array {name}", came, "quaternions (w, x, y, z) that are not zero", remedy)


def _check_rotations(matrices: Array, name: str, place: Place) -> None:
    skew = np.abs(matrices @ matrices.transpose(0, 2, 1) - np.eye(3)).max(axis=(1, 2))
    wrong = np.flatnonzero(skew > ORTHONORMAL)

    if len(wrong):
        came = f"the matrix of particle {wrong[0]} is not orthonormal (R R^T is off by {skew[wrong[0]]:.2g})"
        remedy = "write rotation matrices with at least 7 digits, nine numbers a particle, row by row"
        raise place.error(f"array {name}", came, f"orthonormal matrices (to {ORTHONORMAL:g})", remedy)

    mirrored = np.flatnonzero(np.linalg.det(matrices) < 0)

    if len(mirrored):
        came = f"the matrix of particle {mirrored[0]} has determinant -1: it mirrors"
        remedy = "reverse one axis; an ellipsoid does not change by that"
        raise place.error(f"array {name}", came, "rotations, determinant +1", remedy)


def from_matrices(matrices: Array) -> Array:
    """Unit quaternions of rotation matrices.

    The matrix 4 q q^T is linear in R. Its row with the largest diagonal element is a multiple of q that
    never vanishes (Shepperd's method, doi:10.2514/3.55767b).

    Parameters
    ----------
    matrices : shape (N, 3, 3), v_space = R v_body

    Returns
    -------
    array
        Shape (N, 4), (w, x, y, z) with w >= 0.
    """
    (xx, xy, xz), (yx, yy, yz), (zx, zy, zz) = np.moveaxis(matrices, 0, -1)

    outer = np.array(
        [
            [1 + xx + yy + zz, zy - yz, xz - zx, yx - xy],
            [zy - yz, 1 + xx - yy - zz, xy + yx, xz + zx],
            [xz - zx, xy + yx, 1 - xx + yy - zz, yz + zy],
            [yx - xy, xz + zx, yz + zy, 1 - xx - yy + zz],
        ]
    )
    largest = np.einsum("iin->in", outer).argmax(axis=0)

    quaternions = normalised(outer[largest, :, np.arange(len(matrices))])
    return np.where(quaternions[:, :1] < 0, -quaternions, quaternions)
