"""Find the arrays of a user's frame by name."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

import numpy as np
from ase import Atoms

from anisweep.datasets.canonical import without_brackets
from anisweep.datasets.errors import Place
from anisweep.datasets.user_files.columns import Columns, families, listed, names_in_text

#: Arrays that every frame of ASE has; they describe no shape.
OWN_OF_ASE = ("numbers", "positions")

Array = np.ndarray[Any, Any]


def columns_of(atoms: Atoms, given: str | Sequence[str], endings: Sequence[str], place: Place) -> Columns:
    """Return the arrays that a user means: one, several by name, or one-column arrays by their common stem.

    Parameters
    ----------
    given : the name of an array, the stem of several (``c_q`` of ``c_q[1]`` to ``c_q[4]``), or several names,
        also in one text with commas, as `anisweep inspect` shows them
    endings : the components that a stem may have

    Raises
    ------
    DataError
        When several sets of arrays have this stem.
    """
    if not isinstance(given, str):
        return Columns(given[0], tuple(given)) if len(given) == 1 else listed(given, endings)

    own = atoms.arrays.get(given)
    several = names_in_text(given) if own is None else []
    if several:
        return listed(several, endings)
    if own is not None and own.ndim > 1:
        return Columns(given, (given,))

    scalars = [name for name, values in atoms.arrays.items() if values.ndim == 1 and name not in OWN_OF_ASE]
    found = [family for family in families(scalars, endings) if family.stem == given]

    if len(found) > 1:
        came = " and ".join(f"({family.in_words})" for family in found)
        raise place.error(
            f"array {given}",
            f"several sets of arrays have this name: {came}",
            "one of them",
            f"name the arrays one by one: [{found[0].in_words}]",
        )
    return found[0] if found else Columns(given, (given,))


def values_of(atoms: Atoms, columns: Columns, place: Place) -> Array:
    """Return one array as it is, or several side by side, shape (N, number of names).

    Raises
    ------
    DataError
        When one is missing, does not hold finite numbers, or is one of several and has not one column.
    """
    parts = [array_of(atoms, name, place) for name in columns.names]
    if len(parts) == 1:
        return parts[0]

    for name, values in zip(columns.names, parts, strict=True):
        if values.shape != (len(atoms),):
            came = f"its shape is {values.shape}"
            remedy = "name arrays of one column each, or one array that has all columns"
            raise place.error(f"array {name}", came, f"shape {(len(atoms),)}", remedy)

    return np.column_stack(parts)


def array_of(atoms: Atoms, name: str, place: Place) -> Array:
    """Return the array as floats, also where ASE has taken the brackets out of its name.

    Raises
    ------
    DataError
        When there is no such array, or it does not hold finite numbers.
    """
    found = _key_of(atoms, name)

    if found is None:
        raise place.error(f"array {name}", "it is missing", names_there(atoms), _remedy(atoms, name))

    if np.ma.is_masked(atoms.arrays[found]):
        remedy = "give these particles values and no mask, or leave the particles out"
        raise place.error(
            f"array {name}", "some of its values are masked", "a value for each particle", remedy
        )
    values = np.asarray(atoms.arrays[found])

    if values.dtype.kind not in "fiu":
        came = f"it holds {values.dtype.name} values"
        raise place.error(f"array {name}", came, "real numbers", "name another array, or mend the file")

    broken = np.argwhere(~np.isfinite(values))
    if len(broken):
        came = f"particle {broken[0][0]} has {values[tuple(broken[0])]}"
        raise place.error(f"array {name}", came, "finite numbers", "mend or remove this frame")

    return values.astype(float)


def missing_arrays(atoms: Atoms, columns: Columns) -> list[str]:
    """Return the names that no array has."""
    return [name for name in columns.names if _key_of(atoms, name) is None]


def _key_of(atoms: Atoms, name: str) -> str | None:
    """Return the name that an array has, also where ASE has taken the brackets out of it."""
    return next((key for key in (name, without_brackets(name)) if key in atoms.arrays), None)


def names_there(atoms: Atoms) -> str:
    """Return in words which arrays could have been named."""
    names = [name for name in atoms.arrays if name not in OWN_OF_ASE]
    return (
        f"one of the arrays of this frame ({', '.join(names)})" if names else "none, this frame has no arrays"
    )


def _remedy(atoms: Atoms, name: str) -> str:
    """Return what to do about a missing array; older versions of ASE lost ``c_diameter[1]`` in the header."""
    lost = any(re.fullmatch(r"\d:R:\d:\w+", str(key)) for key in atoms.info)

    if lost and "diameter" in name:
        return (
            "the header shows that ASE lost the brackets of `c_diameter[1]` when the file was written, and "
            "the columns with them: give the lengths, in a study `diameters: [3.0, 3.0, 1.0]`, to `anisweep "
            "describe` --diameters '[3.0, 3.0, 1.0]'"
        )

    return (
        "name another array, or give the value in the study (`diameters: [3.0, 3.0, 1.0]`; without "
        "`orientations:` all are the identity) or to `anisweep describe` (--diameters '[3.0, 3.0, 1.0]', "
        "--orientations identity). Extended XYZ, dumps and data files of LAMMPS, and GSD keep such arrays"
    )
