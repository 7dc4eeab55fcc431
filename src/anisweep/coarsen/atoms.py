"""Take from a frame what coarsening needs of its atoms, molecule by molecule."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from ase import Atoms
from ase.data import atomic_masses, atomic_numbers

from anisweep.coarsen.molecules import NONE, labels_of
from anisweep.coarsen.options import CoarseOptions
from anisweep.datasets.errors import DataError, Place
from anisweep.datasets.species import NO_SPECIES, names_in

Array = np.ndarray[Any, Any]

MASSES = ("mass", "masses")
FORCES: tuple[Sequence[str], ...] = (("forces",), ("force",), ("fx", "fy", "fz"))

MEND = "mend or remove this frame"


@dataclass(frozen=True)
class AtomTable:
    """Hold the atoms of a frame by molecule, in each by species and mass, and then by id.

    So molecules of the same atoms have them in the same order, even where ids do not.

    Attributes
    ----------
    labels : (N,) number of the molecule
    atoms : (N,) id, else the place in the file
    species : (N,) names, or empty texts where the file names none
    residues : (N,) names of residues, or empty texts
    forces : (N, 3), or None
    left_out : how many atoms of the frame are in no molecule
    elements : whether some masses are those of elements, as the file has none
    """

    frame: Atoms
    place: Place
    labels: Array
    atoms: Array
    species: Array
    residues: Array
    masses: Array
    positions: Array
    forces: Array | None
    left_out: int
    elements: bool

    def error(self, row: int, what: str, came: str, allowed: str, remedy: str) -> DataError:
        """Return the error about an atom, with its molecule."""
        where = f"molecule {self.labels[row]}, atom {self.atoms[row]}, {what}"
        return self.place.error(where, came, allowed, remedy)


def table_of(frame: Atoms, options: CoarseOptions, place: Place) -> AtomTable:
    """Return the atoms of a frame.

    Raises
    ------
    DataError
        For molecules, masses, positions and forces that are missing or not finite, with frame and molecule.
    """
    by_id = _order_of_ids(frame)
    forces = _forces(frame, options.forces, place)
    frame = frame if np.array_equal(by_id, np.arange(len(frame))) else frame[by_id]

    labels, species = labels_of(frame, options, place), _species(frame)
    masses, elements = _masses(frame, options, species, place)
    rows = np.lexsort((masses, species, labels))
    rows = rows[labels[rows] != NONE]
    table = AtomTable(
        frame,
        place,
        labels[rows],
        frame.arrays["id"][rows] if "id" in frame.arrays else rows,
        species[rows],
        frame.arrays["residuenames"][rows] if "residuenames" in frame.arrays else np.full(len(rows), ""),
        masses[rows],
        frame.positions[rows],
        None if forces is None else forces[by_id][rows],
        len(frame) - len(rows),
        elements,
    )
    _check_masses(table)
    _check_finite(table, "position", table.positions)
    if table.forces is not None:
        _check_finite(table, "force", table.forces)
    return table


def _order_of_ids(frame: Atoms) -> Array:
    return np.argsort(frame.arrays["id"], kind="stable") if "id" in frame.arrays else np.arange(len(frame))


def _species(frame: Atoms) -> Array:
    if NO_SPECIES in frame.info:
        return np.full(len(frame), "")
    names = names_in(frame)
    numbers, inverse = np.unique(frame.numbers, return_inverse=True)
    return np.array([names[number] for number in numbers.tolist()])[inverse]


def _masses(frame: Atoms, options: CoarseOptions, species: Array, place: Place) -> tuple[Array, bool]:
    """Return the masses, NaN where nothing says them, and whether some are those of elements."""
    own = next((frame.arrays[name] for name in MASSES if name in frame.arrays), None)
    if own is not None and (own.ndim != 1 or own.dtype.kind not in "fiu"):
        came = f"they are {own.dtype.name} of shape {own.shape}"
        raise place.error("masses", came, "one number an atom", "name the array otherwise, or mend it")

    unknown = set(options.masses).difference(species.tolist())
    if unknown:
        came = f"no atom is of species {min(unknown)}"
        raise place.error("masses", came, f"among {', '.join(np.unique(species))}", "correct --masses")

    masses = np.full(len(frame), np.nan) if own is None else np.array(own, dtype=float)
    elements = False

    for name in np.unique(species).tolist():
        if name in options.masses:
            masses[species == name] = options.masses[name]
        elif own is None and atomic_numbers.get(name):
            masses[species == name] = atomic_masses[atomic_numbers[name]]
            elements = True
    return masses, elements


def _check_masses(table: AtomTable) -> None:
    wrong = np.flatnonzero(~(table.masses > 0) | ~np.isfinite(table.masses))
    if not len(wrong):
        return

    row = wrong[0]
    missing = np.isnan(table.masses[row])
    came = f"species {table.species[row]} has {'no mass' if missing else f'{table.masses[row]:g}'}"
    allowed = f"an array {' or '.join(MASSES)} of positive numbers, or species that are elements"
    lacking = ", ".join(f"{name}: MASS" for name in np.unique(table.species[wrong]) if name)
    remedy = f"give --masses '{{{lacking}}}'" if lacking else "correct the masses in the file"
    raise table.error(row, "mass", came.replace("species  has", "it has"), allowed, remedy)


def _check_finite(table: AtomTable, what: str, values: Array) -> None:
    broken = np.argwhere(~np.isfinite(values))
    if len(broken):
        row, axis = broken[0]
        raise table.error(row, what, f"{'xyz'[axis]} is {values[row, axis]}", "finite numbers", MEND)


def _forces(frame: Atoms, given: str | Sequence[str] | None, place: Place) -> Array | None:
    """Return the forces on atoms, or None where a file has none and none are asked for."""
    given = given.replace(" ", "").split(",") if isinstance(given, str) else given
    choices = FORCES if given is None else (given,)
    names = next((names for names in choices if set(names) <= set(frame.arrays)), None)

    if names is None and given is not None:
        came = f"there is no {', '.join(choices[0])}"
        raise place.error("forces", came, f"among {', '.join(frame.arrays)}", "name other --forces")
    if names is None:
        found = None if frame.calc is None else frame.calc.results.get("forces")
    else:
        found = np.column_stack([frame.arrays[name] for name in names])

    if found is not None and (found.shape != (len(frame), 3) or found.dtype.kind not in "fiu"):
        came = f"they are {found.dtype.name} of shape {found.shape}"
        raise place.error("forces", came, "three numbers an atom", "name them with --forces, as fx,fy,fz")
    return None if found is None else np.asarray(found, dtype=float)
