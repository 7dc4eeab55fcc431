"""Assemble frames from particles as LAMMPS writes them, in dumps and data files alike."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from ase import Atoms

from anisweep.datasets.errors import Place
from anisweep.datasets.species import remember
from anisweep.datasets.user_files.conventions import WRITTEN_BY
from anisweep.datasets.user_files.keeping import keep
from anisweep.datasets.user_files.labels import Labels
from anisweep.datasets.user_files.lammps_box import Box

Array = np.ndarray[Any, Any]

#: A whole number from 1, of which a computer's integers can hold any.
IDENTITY = re.compile(r"0{0,9}[1-9][0-9]{0,17}")


def assembled(
    arrays: Mapping[str, Array],
    positions: Array,
    species: Sequence[str],
    box: Box,
    labels: Labels,
    place: Place,
) -> Atoms:
    """Return a frame of particles in the order of their ids, with all their arrays."""
    order = _order(arrays.get("id"), len(positions), place)
    numbers = labels.numbers(species, place)

    frame = Atoms(numbers[order], positions=positions[order], cell=box.cell, pbc=box.pbc)
    frame.info[WRITTEN_BY] = "LAMMPS"
    remember(frame, labels.unusual(species))
    keep(frame, {name: values[order] for name, values in arrays.items()}, place)
    return frame


def _order(ids: Array | None, count: int, place: Place) -> Array:
    """Return the places of the particles by their ids; without ids they stay as they came."""
    if ids is None:
        return np.arange(count)

    if ids.dtype.kind != "i" or ids.min() < 1:
        texts = [str(value) for value in ids.tolist()]
        wrong = next((text for text in texts if not IDENTITY.fullmatch(text)), texts[0])
        raise place.error(
            "column id", f"{wrong[:40]!r} came", "whole numbers from 1", "correct or remove this frame"
        )

    order = np.argsort(ids, kind="stable")
    twice = np.flatnonzero(np.diff(ids[order]) == 0)
    if len(twice):
        came = f"the id {ids[order][twice[0]]} is there twice"
        raise place.error("column id", came, "an id of its own for each particle", "write the frame again")
    return order
