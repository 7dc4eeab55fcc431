"""Say which molecule each atom of a frame belongs to."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from ase import Atoms

from anisweep.coarsen.options import CoarseOptions
from anisweep.datasets.errors import Place
from anisweep.datasets.user_files.conventions import WRITTEN_BY
from anisweep.formatting import counted

Array = np.ndarray[Any, Any]

#: Arrays with the number of a molecule, in the order in which they are looked for.
NUMBERS = ("mol", "mol-id", "molecule", "residuenumbers")

#: Numbers of residues begin again: a residue ends where its number or its name changes.
RESIDUES = ("residuenumbers", "residuenames")

#: In place of a molecule's number, of atoms that belong to none.
NONE = -1

REMEDY = "name an array with --molecules, or list the atoms of each molecule with --indices"


def labels_of(frame: Atoms, options: CoarseOptions, place: Place) -> Array:
    """Return the number of each atom's molecule, or -1 for atoms that are in none.

    Raises
    ------
    DataError
        When nothing says it, or numbers of molecules and atoms make no sense.
    """
    given = options.molecules
    if given is not None and not isinstance(given, str):
        return _labels_of_lists(len(frame), given, place)

    name = given or next((name for name in NUMBERS if name in frame.arrays), "mol")
    if name not in frame.arrays:
        came = f"no array {name} says it, among {', '.join(frame.arrays)}"
        raise place.error("molecules", came, f"an array of whole numbers, as {', '.join(NUMBERS)}", REMEDY)
    return _runs(frame) if name in RESIDUES else _numbered(frame, name, place)


def _numbered(frame: Atoms, name: str, place: Place) -> Array:
    values = frame.arrays[name]
    if values.ndim != 1 or values.dtype.kind not in "fiu" or not np.array_equal(values, np.round(values)):
        came = f"its first value is {values[0]}"
        raise place.error(f"array {name}", came, "one whole number an atom", REMEDY)

    least = int(frame.info.get(WRITTEN_BY) == "LAMMPS")
    outside = np.flatnonzero(values < least)
    if len(outside):
        atom = frame.arrays.get("id", np.arange(len(frame)))[outside[0]]
        came = f"atom {atom} is in molecule {values[outside[0]]:g}, as are atoms of no molecule"
        remedy = "number these molecules, leave the atoms out of the file, or list molecules with --indices"
        raise place.error(f"array {name}", came, f"numbers from {least}", remedy)
    return np.asarray(values, dtype=np.int64)


def _runs(frame: Atoms) -> Array:
    """Return the number of each atom's residue, counted from 0 in the file."""
    changes = np.zeros(len(frame), dtype=bool)
    for name in RESIDUES:
        values = frame.arrays.get(name)
        if values is not None:
            changes[1:] |= values[1:] != values[:-1]
    return np.cumsum(changes)


def _labels_of_lists(count: int, lists: Sequence[Sequence[int]], place: Place) -> Array:
    """Return the place of each atom's list."""
    sizes = [len(atoms) for atoms in lists]
    if not sizes or not all(sizes):
        came = f"molecule {sizes.index(0)} has no atoms" if sizes else "there are none"
        raise place.error("molecules", came, "lists of one or more atoms", "correct the lists")

    atoms = np.array([atom for each in lists for atom in each])
    owners = np.repeat(np.arange(len(sizes)), sizes)
    wrong = np.flatnonzero((atoms < 0) | (atoms >= count)) if atoms.dtype.kind == "i" else np.arange(1)
    if len(wrong):
        came = f"molecule {owners[wrong[0]]} is to have the atom {atoms[wrong[0]]}"
        allowed = f"whole numbers from 0 to {count - 1}, as there are {counted(count, 'atom')}"
        raise place.error("molecules", came, allowed, "correct the lists")

    labels = np.full(count, NONE)
    labels[atoms] = owners
    twice = np.flatnonzero(np.bincount(atoms, minlength=count) > 1)
    if len(twice):
        first, second = owners[atoms == twice[0]][:2]
        came = f"atom {twice[0]} is in molecule {first} and in molecule {second}"
        raise place.error("molecules", came, "each atom once", "correct the lists")
    return labels
