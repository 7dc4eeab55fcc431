"""Write features in metatensor's format, which ``metatensor.load`` reads, by the published package's names.

The format is that of .npz files, with a member for each array of a TensorMap and fixed names; more
hold the names of the species, by number, and the provenance.
"""

from __future__ import annotations

import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from typing import IO

import numpy as np

from anisweep.describe.content import Features
from anisweep.describe.format_npz import write_array, write_pieces

#: Names of the properties, and the columns' own names for them.
PRODUCTS = {
    "n_1_a": "n_a",
    "neighbor_types_1_a": "species_a",
    "k_2": "l",
    "n_1_b": "n_b",
    "neighbor_types_1_b": "species_b",
    "l_2": "l",
}
CHANNELS = {"n": "n_a", "neighbor_types": "species_a"}


@dataclass(frozen=True)
class TensorMapBlock:
    """Name the rows and columns of the features that become one block of the TensorMap.

    Attributes
    ----------
    key : names and values
    rows, columns : (all rows,) and (all columns,) which of them
    component : its name, and its values
    properties : names and values, one each property
    """

    key: dict[str, int]
    rows: np.ndarray
    columns: np.ndarray
    component: tuple[str, np.ndarray]
    properties: np.ndarray


def write(features: Features, stream: IO[bytes]) -> None:
    """Write features as an .mts file; for means over frames, ``types_center`` and ``center`` are -1."""
    blocks = _blocks(features)
    keys = {name: np.array([block.key[name] for block in blocks]) for name in blocks[0].key}

    with zipfile.ZipFile(stream, "w") as zipped:
        write_array(zipped, "keys", _labels(keys))

        for number, block in enumerate(blocks):
            name, component = block.component
            shape = (int(block.rows.sum()), len(component), len(block.properties))
            samples = {"type": features.frame[block.rows], "center": features.centre[block.rows]}

            write_pieces(zipped, f"blocks/{number}/values", shape, _values(features, block))
            write_array(zipped, f"blocks/{number}/samples", _labels(samples))
            write_array(zipped, f"blocks/{number}/components/0", _labels({name: component}))
            write_array(zipped, f"blocks/{number}/properties", block.properties)

        write_array(zipped, "neighbours", features.neighbours)
        write_array(zipped, "names", features.names)
        write_array(zipped, "provenance", np.array(features.provenance))


def _blocks(features: Features) -> list[TensorMapBlock]:
    """Return one block for each species of centre and, of coefficients, for each l."""
    columns, centres = features.columns, np.unique(features.species).tolist()
    blocks = []

    if (columns["species_b"] >= 0).any():
        component = ("spherical_harmonics_m", np.zeros(1))
        properties = _labels({name: columns[field] for name, field in PRODUCTS.items()})
        every = np.ones(len(columns), dtype=bool)
        for species in centres:
            key = {"order_nu": 2, "angular_channel": 0, "types_center": species}
            blocks.append(TensorMapBlock(key, features.species == species, every, component, properties))
        return blocks

    for species in centres:
        for l in np.unique(columns["l"]).tolist():
            of_degree = columns["l"] == l
            channels = columns[of_degree & (columns["m"] == 0)]
            component = ("spherical_component_m", np.arange(-l, l + 1))
            properties = _labels({name: channels[field] for name, field in CHANNELS.items()})
            key = {"types_center": species, "angular_channel": l}
            blocks.append(TensorMapBlock(key, features.species == species, of_degree, component, properties))
    return blocks


def _values(features: Features, block: TensorMapBlock) -> Iterator[np.ndarray]:
    first = 0
    for piece in features.values():
        rows = block.rows[first : first + len(piece)]
        first += len(piece)
        yield piece[rows][:, block.columns]


def _labels(columns: dict[str, np.ndarray]) -> np.ndarray:
    """Return metatensor's labels: named columns of 32-bit integers."""
    size = len(next(iter(columns.values())))
    labels = np.empty(size, dtype=[(name, "<i4") for name in columns])
    for name, values in columns.items():
        labels[name] = values
    return labels
