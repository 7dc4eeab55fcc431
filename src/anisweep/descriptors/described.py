"""Features with what their rows and columns are."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from anisweep.descriptors.columns import columns_of, of_pairs
from anisweep.descriptors.compute import Output, widths


@dataclass(frozen=True)
class Descriptors:
    """Features as a plain array, with what its rows and columns are.

    Attributes
    ----------
    output : ``coefficients`` or ``power_spectrum``
    values : (rows, features), float64 (of `TorchProjection`: float32, but for ``fp64``). Coefficients run
        l, m, species, n; power spectra l, (species, n), (species, n), the last fastest
    frame : (rows,) frame of each row
    centre : (rows,) particle in its frame, or -1 where the row is a frame's mean
    species : (rows,) of the centre, or -1
    neighbours : species of the neighbours, sorted
    counts : radial functions for each l
    found : (centres, neighbours) whether a centre has a neighbour (or itself) of a species
    dropped : whether rows without any neighbour were left out
    """

    output: Output
    values: np.ndarray
    frame: np.ndarray
    centre: np.ndarray
    species: np.ndarray
    neighbours: np.ndarray
    counts: tuple[int, ...]
    found: np.ndarray
    dropped: bool = False

    @cached_property
    def columns(self) -> np.ndarray:
        """What each column is: (features,) of l, m, species and n of the first and of the second channel.

        Coefficients have no second channel, power spectra no m: these read -1 and 0.
        """
        return columns_of(self.output, self.counts, self.neighbours)

    def of_degree(self, l: int) -> np.ndarray:
        """(rows, columns of one l)."""
        ends = np.cumsum([0, *widths(self.counts, len(self.neighbours), self.output)])
        return self.values[:, ends[l] : ends[l + 1]]

    def of_pairs(self, pairs: Sequence[tuple[int, int]]) -> np.ndarray:
        """(rows, columns) of a power spectrum whose channels have these species, in this order each.

        Raises
        ------
        BadInput
            for coefficients, for no pairs, and for a species that is not among the neighbours
        """
        return self.values[:, of_pairs(self.columns, pairs)]

    def centre_species(self) -> list[int]:
        """Species of the centres, sorted."""
        return [int(species) for species in np.unique(self.species)]

    def met(self, species: int) -> np.ndarray:
        """Which neighbour species centres of a species have: all, unless isolated centres were dropped."""
        if not self.dropped or len(self.found) != len(self.species):
            return np.ones(len(self.neighbours), dtype=bool)
        met: np.ndarray = self.found[self.species == species].any(axis=0)
        return met


def without_isolated(described: Descriptors, counts: np.ndarray) -> Descriptors:
    """Only rows that have a neighbour; a frame's mean is then over the centres that have one."""
    alive = np.asarray(described.found.any(axis=1))
    values, kept = described.values, alive

    if (described.centre < 0).any():
        there = np.bincount(np.repeat(np.arange(len(counts)), counts), alive, len(counts))
        kept = there > 0
        shares = counts / np.maximum(there, 1)
        values = values * shares.astype(values.dtype)[:, None]

    return replace(
        described,
        values=values[kept],
        frame=described.frame[kept],
        centre=described.centre[kept],
        species=described.species[kept],
        found=described.found[alive],
        dropped=True,
    )
