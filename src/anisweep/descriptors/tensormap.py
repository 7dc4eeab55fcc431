"""Put features into metatensor's TensorMap, with the published package's key, sample and property names."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from anisweep.descriptors.errors import BadInput

if TYPE_CHECKING:
    from anisweep.descriptors.features import Descriptors

#: metatensor's labels have 32 bits.
LABELS = np.iinfo(np.int32)


def _metatensor() -> Any:
    try:
        import metatensor
    except ImportError as error:
        raise ImportError(
            "a TensorMap needs metatensor: pip install metatensor; or take plain arrays from `describe`"
        ) from error
    return metatensor


def _check_species(features: Descriptors) -> None:
    """Raise `BadInput` for a species that no label can hold."""
    outside = [species for species in features.neighbours.tolist() if not LABELS.min <= species <= LABELS.max]
    if outside:
        raise BadInput(
            f"species {outside[0]} is no label of a TensorMap. Allowed: numbers up to {LABELS.max}. "
            "Renumber the species, or take plain arrays from `describe`."
        )


def coefficients(features: Descriptors) -> Any:
    """Return the TensorMap of coefficients: a block for each centre species and l.

    Keys are (types_center, angular_channel), samples (type, center), properties (n, neighbor_types).

    Properties run species slow, n fast. Where frames were dropped that have no neighbours, a neighbour
    species that no centre of a species ever meets has no properties there either.
    """
    m = _metatensor()
    _check_species(features)
    keys, blocks = [], []

    for species in features.centre_species():
        rows = features.species == species
        samples = m.Labels(["type", "center"], _int32(features.frame[rows], features.centre[rows]))
        met = features.met(species)

        for l, count in enumerate(features.counts):
            values = features.of_degree(l)[rows].reshape(-1, 2 * l + 1, len(met), count)
            kept = values[:, :, met].reshape(len(values), 2 * l + 1, -1)
            components = m.Labels(["spherical_component_m"], _int32(np.arange(-l, l + 1)))
            properties = m.Labels(["n", "neighbor_types"], _channels(features.neighbours[met], count))

            keys.append((species, l))
            blocks.append(m.TensorBlock(np.ascontiguousarray(kept), samples, [components], properties))

    return m.TensorMap(m.Labels(["types_center", "angular_channel"], np.array(keys, dtype=np.int32)), blocks)


def power_spectrum(features: Descriptors) -> Any:
    """Return the TensorMap of power spectra: a block for each centre species.

    Keys are (order_nu, angular_channel, types_center), samples (type, center); properties have two channels.
    """
    m = _metatensor()
    _check_species(features)
    names = ["n_1_a", "neighbor_types_1_a", "k_2", "n_1_b", "neighbor_types_1_b", "l_2"]
    component = m.Labels(["spherical_harmonics_m"], _int32(np.zeros(1)))
    properties = m.Labels(names, np.concatenate(_products(features)))
    keys, blocks = [], []

    for species in features.centre_species():
        rows = features.species == species
        samples = m.Labels(["type", "center"], _int32(features.frame[rows], features.centre[rows]))

        keys.append((2, 0, species))
        blocks.append(m.TensorBlock(features.values[rows][:, None], samples, [component], properties))

    names = ["order_nu", "angular_channel", "types_center"]
    return m.TensorMap(m.Labels(names, np.array(keys, dtype=np.int32)), blocks)


def _products(features: Descriptors) -> list[np.ndarray]:
    labels = []

    for l, count in enumerate(features.counts):
        channels = _channels(features.neighbours, count)
        first = np.repeat(channels, len(channels), axis=0)
        second = np.tile(channels, (len(channels), 1))
        degree = np.full((len(first), 1), l, dtype=np.int32)
        labels.append(np.hstack([first, degree, second, degree]))

    return labels


def _channels(neighbours: np.ndarray, count: int) -> np.ndarray:
    """Return (n, species) of each channel, species slow."""
    return _int32(np.tile(np.arange(count), len(neighbours)), np.repeat(neighbours, count))


def _int32(*columns: np.ndarray) -> np.ndarray:
    return np.stack(columns, axis=1).astype(np.int32)
