"""How many neighbour pairs a descriptor visits."""

from __future__ import annotations

from collections.abc import Iterable

from ase import Atoms


def pair_count(frames: Iterable[Atoms], cutoff: float, self_pairs: bool) -> int:
    """Ordered pairs of centre and neighbour within the cutoff, over all periodic images.

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
