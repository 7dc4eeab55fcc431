"""Features as metatensor's TensorMap, with the published package's key, sample and property names."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from anisweep.descriptors.described import Descriptors


def _metatensor() -> Any:
    try:
        import metatensor
    except ImportError as error:
        raise ImportError(
            "a TensorMap needs metatensor: pip install metatensor; or take plain arrays from `describe`"
        ) from error
    return metatensor


def coefficients(described: Descriptors) -> Any:
    """Keys (types_center, angular_channel), samples (type, center), properties (n, neighbor_types).

    Properties run species slow, n fast. Where frames were dropped that have no neighbours, a neighbour
    species that no centre of a species ever meets has no properties there either.
    """
    m = _metatensor()
    keys, blocks = [], []

    for species in described.centre_species():
        rows = described.species == species
        samples = m.Labels(["type", "center"], _int32(described.frame[rows], described.centre[rows]))
        met = described.met(species)

        for l, count in enumerate(described.counts):
            values = described.of_degree(l)[rows].reshape(-1, 2 * l + 1, len(met), count)
            kept = values[:, :, met].reshape(len(values), 2 * l + 1, -1)
            components = m.Labels(["spherical_component_m"], _int32(np.arange(-l, l + 1)))
            properties = m.Labels(["n", "neighbor_types"], _channels(described.neighbours[met], count))

            keys.append((species, l))
            blocks.append(m.TensorBlock(np.ascontiguousarray(kept), samples, [components], properties))

    return m.TensorMap(m.Labels(["types_center", "angular_channel"], np.array(keys, dtype=np.int32)), blocks)


def power_spectrum(described: Descriptors) -> Any:
    """Keys (order_nu, angular_channel, types_center), samples (type, center), properties of two channels."""
    m = _metatensor()
    names = ["n_1_a", "neighbor_types_1_a", "k_2", "n_1_b", "neighbor_types_1_b", "l_2"]
    component = m.Labels(["spherical_harmonics_m"], _int32(np.zeros(1)))
    properties = m.Labels(names, np.concatenate(_products(described)))
    keys, blocks = [], []

    for species in described.centre_species():
        rows = described.species == species
        samples = m.Labels(["type", "center"], _int32(described.frame[rows], described.centre[rows]))

        keys.append((2, 0, species))
        blocks.append(m.TensorBlock(described.values[rows][:, None], samples, [component], properties))

    names = ["order_nu", "angular_channel", "types_center"]
    return m.TensorMap(m.Labels(names, np.array(keys, dtype=np.int32)), blocks)


def _products(described: Descriptors) -> list[np.ndarray]:
    labels = []

    for l, count in enumerate(described.counts):
        channels = _channels(described.neighbours, count)
        first = np.repeat(channels, len(channels), axis=0)
        second = np.tile(channels, (len(channels), 1))
        degree = np.full((len(first), 1), l, dtype=np.int32)
        labels.append(np.hstack([first, degree, second, degree]))

    return labels


def _channels(neighbours: np.ndarray, count: int) -> np.ndarray:
    """(n, species) of each channel, species slow."""
    return _int32(np.tile(np.arange(count), len(neighbours)), np.repeat(neighbours, count))


def _int32(*columns: np.ndarray) -> np.ndarray:
    return np.stack(columns, axis=1).astype(np.int32)
