"""Find the principal axes of inertia, right-handed and the same ones in each frame."""

from __future__ import annotations

from itertools import permutations
from typing import Any

import numpy as np

Array = np.ndarray[Any, Any]

ORDERS = np.array(list(permutations(range(3))))

#: Of two turns that fit as well the smaller one is taken: a line of atoms does not say how it has spun.
PREFERENCE = 1e-10


def inertia(offsets: Array, masses: Array) -> Array:
    """Return the tensors of inertia about the centre of mass, shape (M, 3, 3).

    Parameters
    ----------
    offsets : (M, atoms, 3) from the centre of mass
    masses : (atoms,)
    """
    second = np.einsum("a,mai,maj->mij", masses, offsets, offsets)
    return np.asarray(np.trace(second, axis1=1, axis2=2)[:, None, None] * np.eye(3) - second)


def first_axes(vectors: Array, offsets: Array) -> Array:
    """Return axes of molecules that nothing came before, pointing from their first atoms to the last ones.

    Parameters
    ----------
    vectors : (M, 3, 3) eigenvectors in columns
    """
    later = np.arange(offsets.shape[1]) - (offsets.shape[1] - 1) / 2
    ways = np.einsum("a,mai,mik->mk", later, offsets, vectors)
    return nearest_rotation(vectors * np.where(ways < 0, -1.0, 1.0)[:, None] * (np.abs(ways) + 1)[:, None])


def turns(before: Array, after: Array, masses: Array) -> Array:
    """Return the rotations by which atoms have turned best from one frame to the next (Kabsch), (M, 3, 3)."""
    moved = np.einsum("a,mai,maj->mij", masses, after, before)
    size = np.sqrt(np.einsum("a,mai->m", masses, before**2) * np.einsum("a,mai->m", masses, after**2))
    return nearest_rotation(moved + (PREFERENCE * np.where(size > 0, size, 1.0))[:, None, None] * np.eye(3))


def on_a_line(offsets: Array, vectors: Array) -> Array:
    """Return the atoms of linear molecules without what bends them, which says nothing of how they spin."""
    line = vectors[:, None, :, 0]
    return np.asarray((offsets * line).sum(axis=2, keepdims=True) * line)


def angles(rotations: Array) -> Array:
    """Return by how much rotations turn, in radians."""
    return np.asarray(np.arccos(np.clip((np.trace(rotations, axis1=1, axis2=2) - 1) / 2, -1.0, 1.0)))


def in_order_of(carried: Array, vectors: Array) -> Array:
    """Return eigenvectors in the order in which they lie along other axes: moments may have crossed."""
    overlaps = np.einsum("mij,mik->mjk", carried, vectors) ** 2
    best = ORDERS[overlaps[:, np.arange(3), ORDERS].sum(axis=2).argmax(axis=1)]
    return np.take_along_axis(vectors, best[:, None, :], axis=2)


def along(carried: Array, vectors: Array, same: Array) -> Array:
    """Return the principal axes that are nearest to other axes.

    Parameters
    ----------
    carried : (M, 3, 3) the other axes, in columns
    vectors : (M, 3, 3) eigenvectors in columns
    same : (3, 3) whether two moments count as equal: any axes in the plane of theirs are principal axes
    """
    overlaps = np.einsum("mik,mij->mkj", vectors, carried)
    return nearest_rotation(vectors @ (overlaps * same))


def nearest_rotation(matrices: Array) -> Array:
    """Return the rotations nearest to some matrices."""
    left, _, right = np.linalg.svd(matrices)
    left[:, :, 2] *= np.sign(np.linalg.det(left @ right))[:, None]
    return np.asarray(left @ right)
