"""Sort the molecules of the first frame into kinds, and refuse frames that have other ones."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from ase.data import atomic_numbers
from ase.formula import Formula

from anisweep.coarsen.atoms import AtomTable
from anisweep.datasets.errors import DataError
from anisweep.formatting import counted

Array = np.ndarray[Any, Any]

SAME = "the molecules and atoms of the first frame"
REMEDY = "write all atoms in each frame, with their ids, or coarsen these frames by themselves"


@dataclass(frozen=True)
class MoleculeKind:
    """Hold the molecules that have the same atoms.

    Attributes
    ----------
    molecules : (M,) which of all molecules they are
    rows : (M, atoms) their atoms in the table of a frame
    masses : (atoms,)
    """

    name: str
    molecules: Array
    rows: Array
    masses: Array


@dataclass(frozen=True)
class Topology:
    """Hold what stays the same in all frames.

    Attributes
    ----------
    first : the atoms of the first frame
    labels : (molecules,) their numbers, ascending
    kinds : in the order in which they appear
    """

    first: AtomTable
    labels: Array
    kinds: tuple[MoleculeKind, ...]

    def check(self, table: AtomTable) -> None:
        """Refuse a frame with other molecules.

        Raises
        ------
        DataError
            Naming frame and molecule.
        """
        first = self.first
        if not all(map(np.array_equal, _composition(table), _composition(first))):
            raise _difference(first, table)

        if (table.forces is None) != (first.forces is None):
            there, missing = ("the first frame", "this one")[:: 1 if table.forces is None else -1]
            came = f"{there} has them, and {missing} has not"
            raise table.place.error("forces", came, "forces in all frames or in none", REMEDY)


def topology_of(table: AtomTable, names: Sequence[str]) -> Topology:
    """Return the molecules of the first frame, sorted into kinds.

    Parameters
    ----------
    names : of the kinds; by default their residues' or formulas

    Raises
    ------
    DataError
        For another number of names than there are kinds.
    """
    labels, starts, sizes = np.unique(table.labels, return_index=True, return_counts=True)
    codes = _codes(table)
    groups: list[tuple[Array, Array]] = []

    for size in np.unique(sizes).tolist():
        molecules = np.flatnonzero(sizes == size)
        rows = starts[molecules, None] + np.arange(size)
        _, inverse = np.unique(codes[rows], axis=0, return_inverse=True)
        for kind in range(inverse.max() + 1):
            groups.append((molecules[inverse.ravel() == kind], rows[inverse.ravel() == kind]))

    groups.sort(key=lambda group: int(group[0][0]))
    titles = _titles(table, [rows[0] for _, rows in groups], names)
    kinds = [
        MoleculeKind(title, molecules, rows, table.masses[rows[0]])
        for title, (molecules, rows) in zip(titles, groups, strict=True)
    ]
    return Topology(table, labels, tuple(kinds))


def _codes(table: AtomTable) -> Array:
    """Return a number for each species, mass and residue that an atom can have."""
    parts = [np.unique(values, return_inverse=True)[1] for values in _composition(table)[1:]]
    return np.unique(np.column_stack(parts), axis=0, return_inverse=True)[1].ravel()


def _composition(table: AtomTable) -> tuple[Array, Array, Array, Array]:
    return table.labels, table.species, table.masses, table.residues


def _titles(table: AtomTable, kinds: Sequence[Array], names: Sequence[str]) -> list[str]:
    """Return a name for each kind."""
    if names:
        if len(names) != len(kinds) or len(set(names)) < len(names):
            came = f"{counted(len(kinds), 'kind')} of molecules are there, and {', '.join(names)} came"
            raise table.place.error("names", came, "one for each kind", "give as many --names")
        return list(names)

    usual = [_usual_name(table, rows, number) for number, rows in enumerate(kinds, start=1)]
    seen: Counter[str] = Counter()
    titles = []
    for name in usual:
        seen[name] += 1
        titles.append(name if seen[name] == 1 else f"{name}-{seen[name]}")
    return titles


def _usual_name(table: AtomTable, rows: Array, number: int) -> str:
    """Return the name of the residue, the formula where species are elements, or M with a number.

    Elements are never guessed from masses.
    """
    residue = str(table.residues[rows[0]]).strip()
    species = table.species[rows].tolist()
    if residue:
        return residue
    if all(map(atomic_numbers.get, species)):
        return str(Formula("".join(species)).format("hill"))
    return f"M{number}"


def _difference(first: AtomTable, table: AtomTable) -> DataError:
    """Return the error about the first molecule that is another one."""
    before, after = _sizes(first), _sizes(table)
    for label in sorted(before.keys() | after.keys()):
        if before[label] != after[label]:
            came = f"it has {counted(after[label], 'atom')}, and in the first frame {before[label]}"
            return table.place.error(f"molecule {label}", came, SAME, REMEDY)

    same = [now == then for now, then in zip(_composition(table), _composition(first), strict=True)]
    row = int(np.flatnonzero(~np.all(same, axis=0))[0])
    came = f"it is {_described(table, row)}, and in the first frame {_described(first, row)} is there"
    return table.error(row, "kind", came, SAME, REMEDY)


def _sizes(table: AtomTable) -> Counter[int]:
    return Counter(table.labels.tolist())


def _described(table: AtomTable, row: int) -> str:
    species = f" of species {table.species[row]}" if table.species[row] else ""
    return f"one{species} with mass {table.masses[row]:g}"
