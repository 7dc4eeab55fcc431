"""Frames as tensors, with their list of neighbours."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from anisweep.descriptors.arrays import FrameArrays
from anisweep.descriptors.pairs import Pairs, find_pairs
from anisweep.descriptors.torch_backend.expansion import Groups


@dataclass(frozen=True)
class Neighbours:
    """Which particles are neighbours. It is not differentiated, and holds until a pair crosses the cutoff.

    Attributes
    ----------
    centre, neighbour : (pairs,) particles, counted over all frames
    cells : (pairs, 3) whole cells between them
    frame : (particles,)
    counts : (frames,) particles of each
    species : of the neighbours, sorted
    groups : pairs that share a centre and a particle
    """

    centre: Tensor
    neighbour: Tensor
    cells: Tensor
    frame: Tensor
    counts: Tensor
    species: tuple[int, ...]
    groups: Groups


@dataclass(frozen=True)
class Batch:
    """Frames as tensors, in float64.

    Attributes
    ----------
    positions : (particles, 3) Angstrom
    cells : (frames, 3, 3) vectors in rows, Angstrom
    orientations : body -> space: (particles, 4) quaternions w, x, y, z of any length, or (particles, 3, 3)
    diameters : (particles, 3) Angstrom
    neighbours : see there
    """

    positions: Tensor
    cells: Tensor
    orientations: Tensor
    diameters: Tensor
    neighbours: Neighbours


def batch_of(
    arrays: FrameArrays,
    frames: range,
    species: np.ndarray,
    cutoff: float,
    self_pairs: bool,
    at_a_time: int,
    device: str,
) -> Batch:
    """Tensors of some frames on a device.

    Parameters
    ----------
    arrays, frames : those of all frames, and which are taken
    species : of the neighbours, sorted
    cutoff, self_pairs : as of `find_pairs`
    at_a_time : pairs of one chunk
    """
    start, counts = int(arrays.start[frames.start]), arrays.counts[frames.start : frames.stop]
    here = slice(start, int(arrays.start[frames.stop]))
    pairs = find_pairs(arrays, frames, cutoff, self_pairs)
    kinds = arrays.places(species)

    def tensor(array: np.ndarray) -> Tensor:
        return torch.tensor(array, device=device)

    neighbours = Neighbours(
        centre=tensor(pairs.centre - start),
        neighbour=tensor(pairs.neighbour - start),
        cells=tensor(pairs.cells.astype(float)),
        frame=tensor(np.repeat(np.arange(len(counts)), counts)),
        counts=tensor(counts),
        species=tuple(int(s) for s in species),
        groups=_groups(pairs, start, kinds, len(species), at_a_time, device),
    )
    rotations = arrays.rotations[here]
    return Batch(
        tensor(arrays.positions[here]),
        tensor(arrays.cells[frames.start : frames.stop]),
        tensor(rotations if rotations.shape[1] == 4 else rotations.reshape(-1, 3, 3)),
        tensor(arrays.diameters[here]),
        neighbours,
    )


def _groups(pairs: Pairs, start: int, kinds: np.ndarray, species: int, at_a_time: int, device: str) -> Groups:
    count = len(pairs.centre)
    opens = np.ones(count, dtype=bool)
    opens[1:] = (np.diff(pairs.centre) != 0) | (np.diff(pairs.neighbour) != 0)
    of_pair = np.cumsum(opens) - 1
    neighbour = pairs.neighbour[opens]
    row = (pairs.centre[opens] - start) * species + kinds[neighbour]

    first = np.arange(0, count, at_a_time)
    end = np.minimum(first + at_a_time, count)
    chunks = np.stack([first, end, of_pair[first], of_pair[end - 1] + 1], axis=1)
    of_pair, neighbour, row = (
        torch.tensor(array, device=device) for array in (of_pair, neighbour - start, row)
    )
    return Groups(of_pair, neighbour, row, torch.tensor(chunks))
