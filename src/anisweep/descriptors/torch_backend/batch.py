"""Hold frames as tensors, with their neighbour list."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor

from anisweep.descriptors.arrays import FrameArrays
from anisweep.descriptors.kernels.pairs import Pairs, find_pairs
from anisweep.descriptors.torch_backend.expansion import Groups


@dataclass(frozen=True)
class Neighbours:
    """Hold which particles are neighbours.

    It is not differentiated, and holds until a pair crosses the cutoff.

    Attributes
    ----------
    centre, neighbour : Tensor, shape (pairs,)
        Particles, counted over all frames.
    cells : Tensor, shape (pairs, 3)
        Whole cells between them.
    frame : Tensor, shape (particles,)
        Frame of each particle.
    counts : Tensor, shape (frames,)
        Number of particles of each frame.
    species : tuple of int
        Species of the neighbours, sorted.
    groups : Groups
        Pairs that share a centre and a particle.
    """

    centre: Tensor
    neighbour: Tensor
    cells: Tensor
    frame: Tensor
    counts: Tensor
    species: tuple[int, ...]
    groups: Groups


@dataclass(frozen=True)
class ReadFrames:
    """Hold frames as they were read, and the neighbours that were found then."""

    arrays: FrameArrays
    neighbours: Neighbours


@dataclass(frozen=True)
class Batch:
    """Hold frames as tensors, in float64.

    Attributes
    ----------
    positions : Tensor, shape (particles, 3)
        In Angstrom.
    cells : Tensor, shape (frames, 3, 3)
        Vectors in rows, in Angstrom.
    orientations : Tensor
        They turn the body to the lab frame: quaternions w, x, y, z of any length, of shape (particles, 4), or
        matrices, of shape (particles, 3, 3).
    diameters : Tensor, shape (particles, 3)
        In Angstrom.
    neighbours : Neighbours
        The list of neighbours.
    read : ReadFrames or None
        What the kernels need to compute derivatives; without it Torch does.
    """

    positions: Tensor
    cells: Tensor
    orientations: Tensor
    diameters: Tensor
    neighbours: Neighbours
    read: ReadFrames | None = None


def batch_of(
    arrays: FrameArrays,
    frames: range,
    species: np.ndarray,
    cutoff: float,
    self_pairs: bool,
    at_a_time: int,
    device: str,
) -> Batch:
    """Return the tensors of some frames on a device.

    Parameters
    ----------
    arrays, frames : those of all frames, and which are taken
    species : of the neighbours, sorted
    cutoff, self_pairs : as of `find_pairs`
    at_a_time : pairs of one chunk
    """
    some = arrays.between(frames.start, frames.stop)
    start, counts = int(arrays.start[frames.start]), some.counts
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
    rotations = some.rotations
    return Batch(
        tensor(some.positions),
        tensor(some.cells),
        tensor(rotations if rotations.shape[1] == 4 else rotations.reshape(-1, 3, 3)),
        tensor(some.diameters),
        neighbours,
        ReadFrames(some, neighbours),
    )


def own_densities(batch: Batch, at_a_time: int) -> Batch:
    """Return the batch with each particle as its own and only neighbour, all of one species.

    Parameters
    ----------
    at_a_time : pairs of one chunk
    """
    near, count = batch.neighbours, len(batch.positions)
    every = torch.arange(count, device=batch.positions.device)
    first = torch.arange(0, count, at_a_time)
    end = (first + at_a_time).clamp(max=count)

    own = replace(
        near,
        centre=every,
        neighbour=every,
        cells=batch.positions.new_zeros(count, 3),
        species=(0,),
        groups=Groups(every, every, every, torch.stack([first, end, first, end], dim=1)),
    )
    return replace(batch, neighbours=own)


def counted_as_neighbours(batch: Batch) -> Tensor:
    """Return (centres, species) one where a centre's own density is among its neighbours of this species."""
    near, species = batch.neighbours, len(batch.neighbours.species)
    own = (near.centre == near.neighbour) & (near.cells == 0).all(dim=1)
    counted = batch.positions.new_zeros(len(batch.positions) * species)
    counted[near.groups.row[near.groups.of_pair[own]]] = 1
    return counted.unflatten(0, (-1, species))


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
