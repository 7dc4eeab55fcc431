"""Hold features together with the labels of their rows and columns."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from anisweep.descriptors.feature_labels import feature_columns, of_pairs
from anisweep.descriptors.kernels.run import Output, widths


@dataclass(frozen=True)
class Descriptors:
    """Hold features as a plain array, with what its rows and columns are.

    Attributes
    ----------
    output : str
        ``coefficients``, ``power_spectrum`` or ``pair_features``.
    values : ndarray, shape (rows, features)
        In float64, or float32 where the precision is not ``fp64``. Coefficients run l, m, species, n; power
        spectra l, (species, n), (species, n), the last fastest; pair features l (even ones), species, n.
    frame : ndarray, shape (rows,)
        Frame of each row.
    centre : ndarray, shape (rows,)
        Particle in its frame, or -1 where the row is a frame's mean.
    species : ndarray, shape (rows,)
        Species of the centre, or -1.
    neighbours : ndarray
        Species of the neighbours, sorted.
    counts : tuple of int
        Number of radial functions for each l.
    found : ndarray, shape (centres, neighbours)
        Whether a centre has a neighbour (or itself) of a species.
    dropped : bool
        Whether rows without any neighbour were left out.
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
        """Return what each column is: l, m, species and n of the first and of the second channel.

        Coefficients and pair features have no second channel, pair features and power spectra no m: these
        read -1 and 0.
        """
        return feature_columns(self.output, self.counts, self.neighbours)

    def of_degree(self, l: int) -> np.ndarray:
        """Return the columns of one l, of shape (rows, columns)."""
        ends = np.cumsum([0, *widths(self.counts, len(self.neighbours), self.output)])
        return self.values[:, ends[l] : ends[l + 1]]

    def of_pairs(self, pairs: Sequence[tuple[int, int]]) -> np.ndarray:
        """Return the columns of a power spectrum whose channels have these species, in this order each.

        Parameters
        ----------
        pairs : list of tuple
            Two species each.

        Raises
        ------
        BadInput
            For other columns, for no pairs, and for a species that is not among the neighbours.
        """
        return self.values[:, of_pairs(self.columns, pairs)]

    def centre_species(self) -> list[int]:
        """Return the species of the centres, sorted."""
        return [int(species) for species in np.unique(self.species)]

    def met(self, species: int) -> np.ndarray:
        """Return which neighbour species the centres of a species have: True for each that occurs.

        All are True, unless isolated centres were dropped.
        """
        if not self.dropped or len(self.found) != len(self.species):
            return np.ones(len(self.neighbours), dtype=bool)
        met: np.ndarray = self.found[self.species == species].any(axis=0)
        return met


def without_isolated(features: Descriptors, counts: np.ndarray) -> Descriptors:
    """Keep only rows that have a neighbour; a frame's mean is then over the centres that have one."""
    alive = np.asarray(features.found.any(axis=1))
    values, kept = features.values, alive

    if (features.centre < 0).any():
        there = np.bincount(np.repeat(np.arange(len(counts)), counts), alive, len(counts))
        kept = there > 0
        shares = counts / np.maximum(there, 1)
        values = values * shares.astype(values.dtype)[:, None]

    return replace(
        features,
        values=values[kept],
        frame=features.frame[kept],
        centre=features.centre[kept],
        species=features.species[kept],
        found=features.found[alive],
        dropped=True,
    )
