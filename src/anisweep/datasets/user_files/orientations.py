"""Read the orientations of a user's frame as quaternions (w, x, y, z), from the body to the lab frame."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from ase import Atoms

from anisweep.datasets.canonical import IDENTITY, normalised
from anisweep.datasets.errors import Place
from anisweep.datasets.user_files.arrays import columns_of, values_of
from anisweep.datasets.user_files.columns import (
    MATRIX_NUMBERS,
    QUATERNION_LETTERS,
    QUATERNION_NUMBERS,
    Columns,
    stem_of,
)
from anisweep.datasets.user_files.conventions import WRITTEN_BY, Order, order_by_convention

#: An array's name, the stem of several names, several names, or ``None``: the identity.
Orientations = str | Sequence[str] | None

ENDINGS = (*QUATERNION_LETTERS, *QUATERNION_NUMBERS, *MATRIX_NUMBERS)

#: How far R R^T may be from the identity: enough for matrices written with seven digits.
ORTHONORMAL = 1e-5

ZERO_NORM = 1e-6

#: Of what lies beyond this no square can be computed.
LARGEST_COMPONENT = 1e100

#: The reason of an order, or of lengths, that a user gave.
ASKED = "as asked for"

Array = np.ndarray[Any, Any]


@dataclass(frozen=True)
class ComponentOrder:
    """Say how the four columns of quaternions are read.

    Attributes
    ----------
    components : a letter of each column, for example ``xyzw``
    reason : who says so; empty where nobody does
    sure : whether that leaves no doubt
    """

    components: str
    reason: str
    sure: bool = True

    @property
    def in_words(self) -> str:
        """Return for example ``x, y, z, w (OVITO's convention for `orientation`)``."""
        guess = "" if self.sure else "a GUESS: "
        return f"{', '.join(self.components)} ({guess}{self.reason or 'nothing says the order'})"


def quaternions_of(atoms: Atoms, given: Orientations, place: Place, order: Order | None = None) -> Array:
    """Return orientations as quaternions, from arrays of quaternions or rotation matrices.

    Parameters
    ----------
    given : array of shape (N, 4), quaternions of any norm; or (N, 3, 3) or (N, 9), rotation matrices that
        turn vectors from the body to the lab frame, row by row; or four or nine arrays of shape (N,), by
        their names or the stem of these. ``None``: the identity.
    order : of the components of quaternions; ``None``: by the convention for the array's name

    Returns
    -------
    array
        Shape (N, 4), quaternions (w, x, y, z) of any norm.

    Raises
    ------
    DataError
        For a missing array, another shape, a zero quaternion, a matrix that is no rotation.
    """
    if given is None:
        return np.tile(IDENTITY, (len(atoms), 1))

    columns = columns_of(atoms, given, ENDINGS, place)
    name = columns.in_words
    _check_number(columns, place)

    values = values_of(atoms, columns, place)
    inner = values.shape[1:]
    _check_components(values, name, place)

    if inner == (4,):
        _check_quaternions(values, name, place)
        components = component_order(columns, atoms.info.get(WRITTEN_BY, ""), order).components
        _check_order(columns, components, order, place)
        return values[:, [components.index(letter) for letter in "wxyz"]]

    if inner in ((9,), (3, 3)):
        matrices = values.reshape(-1, 3, 3)
        _check_rotations(matrices, name, place)
        return from_matrices(matrices)

    raise place.error(
        f"array {name}",
        f"its shape is {values.shape}",
        f"({len(atoms)}, 4) for quaternions, ({len(atoms)}, 3, 3) or ({len(atoms)}, 9) for matrices",
        "name another array in `orientations:`, or the names of four arrays of one column each",
    )


def unusual_order(given: Orientations) -> str:
    """Return whose convention orders components other than (w, x, y, z); empty where none does."""
    if given is None:
        return ""

    convention = order_by_convention(stem_of(given, ENDINGS), "")
    return "" if convention.order == "wxyz" else convention.whose


def component_order(columns: Columns, program: str, order: Order | None) -> ComponentOrder:
    """Return how quaternions are read: as the names say, else as is asked for, else by convention.

    Parameters
    ----------
    program : that wrote the file; empty where it is not known
    order : that is asked for
    """
    if columns.letters:
        return ComponentOrder(columns.letters.translate(str.maketrans("ijkr", "xyzw")), "their names say so")

    if order is not None:
        return ComponentOrder(order, ASKED)

    convention = order_by_convention(columns.stem, program)
    return ComponentOrder(convention.order, convention.whose, convention.sure)


def _check_order(columns: Columns, components: str, order: Order | None, place: Place) -> None:
    """Refuse an order that contradicts the components in the names."""
    if columns.listed and order not in (None, components):
        raise place.error(
            "orientations",
            f"{columns.in_words} are asked for as {', '.join(order or '')}",
            f"{', '.join(components)}, which their names say",
            "leave the order out, or list the arrays in it",
        )


def _check_number(columns: Columns, place: Place) -> None:
    if len(columns.names) not in (1, 4, 9):
        came = f"{len(columns.names)} arrays are named"
        remedy = "name one array of all columns, or each column"
        raise place.error("orientations", came, "one array, four of quaternions, nine of matrices", remedy)


def _check_components(values: Array, name: str, place: Place) -> None:
    large = np.argwhere(~(np.abs(values) < LARGEST_COMPONENT))

    if len(large):
        came = f"particle {large[0][0]} has {values[tuple(large[0])]:g}"
        allowed = f"numbers below {LARGEST_COMPONENT:g}"
        raise place.error(f"array {name}", came, allowed, "mend or remove this frame")


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
    """Return the unit quaternions of rotation matrices.

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
