"""Make the labels of the feature columns: l, m, species and n."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from anisweep.descriptors.errors import BadInput
from anisweep.descriptors.kernels.run import Output

KIND = np.dtype([(name, np.int64) for name in ("l", "m", "species_a", "n_a", "species_b", "n_b")])


def feature_columns(output: Output, counts: Sequence[int], neighbours: np.ndarray) -> np.ndarray:
    """Return (features,) l, m, and the species and n of the first and of the second channel.

    Coefficients and pair features have no second channel, pair features and power spectra no m: these read -1
    and 0.

    Parameters
    ----------
    counts : radial functions for each l
    neighbours : species, sorted
    """
    rows: list[tuple[int, ...]] = []

    for l, count in enumerate(counts):
        channels = [(int(species), n) for species in neighbours for n in range(count)]
        if output == "coefficients":
            rows += [(l, m, *a, -1, -1) for m in range(-l, l + 1) for a in channels]
        elif output == "pair_features":
            rows += [(l, 0, *a, -1, -1) for a in channels if l % 2 == 0]
        else:
            rows += [(l, 0, *a, *b) for a in channels for b in channels]

    return np.array(rows, dtype=KIND)


def of_pairs(columns: np.ndarray, pairs: Sequence[tuple[int, int]]) -> np.ndarray:
    """Return (features,) True where the channels of a column have one of these pairs of species, in order.

    Raises
    ------
    BadInput
        for coefficients, for no pairs, and for a species that no neighbour has
    """
    first, second = columns["species_a"], columns["species_b"]
    if (second < 0).any():
        raise BadInput("species pairs are of the power spectrum: other columns have one species")

    if not len(pairs):
        raise BadInput("no pairs of species are given: name at least one")
    for species in {s for pair in pairs for s in pair}:
        if species not in first:
            raise BadInput(f"no neighbour of species {species}: there are {np.unique(first).tolist()}")

    chosen: np.ndarray = np.logical_or.reduce([(first == a) & (second == b) for a, b in pairs])
    return chosen
