"""Count or estimate the neighbour pairs of a descriptor."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from ase import Atoms

from anisweep.datasets.user_files.frame_checks import BALLS, volume_of
from anisweep.datasets.vacuum import across_directions

#: What is looked at of a whole file, so that an estimate takes about a second: particles with their
#: images, and pairs.
MOST_POINTS = 2_000_000
MOST_PAIRS = 2_000_000

Array = np.ndarray[Any, Any]


@dataclass(frozen=True)
class PairEstimate:
    """Hold the number of pairs of some frames.

    Attributes
    ----------
    pairs : ordered pairs of centre and neighbour, self-pairs included
    exact : every pair was counted; else those of some centres, or a density
    """

    pairs: int
    exact: bool


def pair_count(frames: Iterable[Atoms], cutoff: float, self_pairs: bool) -> int:
    """Count the ordered pairs of centre and neighbour within the cutoff, over all periodic images.

    Parameters
    ----------
    cutoff : Angstrom
    self_pairs : whether each particle is also its own neighbour (``subtract_center_contribution`` false)
    """
    return sum(_pairs(frame, cutoff) + self_pairs * len(frame) for frame in frames)


def _pairs(frame: Atoms, cutoff: float) -> int:
    from ase.neighborlist import primitive_neighbor_list  # takes a third of a second, of every command

    centres = primitive_neighbor_list("i", frame.pbc, frame.cell.array, frame.positions, cutoff)
    return len(centres)


def estimated_pairs(frames: Sequence[Atoms], cutoff: float) -> PairEstimate:
    """Count the pairs of frames where that takes no time, and estimate them where it would.

    Parameters
    ----------
    frames : that `check_frame` accepts at this cutoff
    cutoff : Angstrom
    """
    estimates = [_estimate(frame, cutoff, 1 / len(frames)) for frame in frames]
    return PairEstimate(
        pairs=sum(estimate.pairs for estimate in estimates),
        exact=all(estimate.exact for estimate in estimates),
    )


def _estimate(frame: Atoms, cutoff: float, share: float) -> PairEstimate:
    """Estimate the pairs of a frame, by looking at its share of all that is looked at."""
    from scipy.spatial import cKDTree  # takes a while to import, of every command

    around = _neighbours_by_density(frame, cutoff)
    reach = 1 + 2 * cutoff / _heights(frame.cell.array[frame.pbc])
    if len(frame) * reach.prod() > max(1000, share * MOST_POINTS):
        return PairEstimate(round(len(frame) * (1 + around)), exact=False)

    count = min(len(frame), max(10, int(share * MOST_PAIRS / (1 + around))))
    centres = np.random.default_rng(0).choice(len(frame), count, replace=False)

    wrapped, points = _with_images(frame, cutoff)
    within = np.nextafter(cutoff, 0.0)
    tree = cKDTree(points, balanced_tree=False, compact_nodes=False)  # twice as fast to build
    found = tree.query_ball_point(wrapped[centres], within, return_length=True)
    return PairEstimate(round(found.sum() * len(frame) / count), exact=count == len(frame))


def _neighbours_by_density(frame: Atoms, cutoff: float) -> float:
    """Return the neighbours of a particle, if particles were spread evenly over the cell, or a box."""
    vectors = frame.cell.array[frame.pbc]
    flat = len(frame) - 1.0
    if len(vectors):
        flat = len(frame) * BALLS[len(vectors)] * cutoff ** len(vectors) / volume_of(vectors)

    extents = np.ptp(frame.positions @ across_directions(vectors).T, axis=0)
    volume = volume_of(vectors) * extents.prod()
    return min(flat, len(frame) * BALLS[3] * cutoff**3 / volume) if volume else flat


def _heights(vectors: Array) -> Array:
    """Return the distances between opposite sides of a cell."""
    heights: Array = 1 / np.linalg.norm(np.linalg.pinv(vectors), axis=0)
    return heights


def _with_images(frame: Atoms, cutoff: float) -> tuple[Array, Array]:
    """Return the particles in the cell, and with them all images that are within the cutoff of it."""
    vectors = frame.cell.array[frame.pbc]
    normals = np.linalg.pinv(vectors).T
    points = wrapped = frame.positions - np.floor(frame.positions @ normals.T) @ vectors

    for vector, normal, margin in zip(vectors, normals, cutoff / _heights(vectors), strict=True):
        along = points @ normal
        moves = np.arange(-np.ceil(margin), np.ceil(margin) + 1)
        near = [(along + move > -margin) & (along + move < 1 + margin) for move in moves]
        points = np.concatenate(
            [points[there] + move * vector for there, move in zip(near, moves, strict=True)]
        )

    return wrapped, points
