"""Diameters of a user's frame along the body axes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from ase import Atoms

from anisweep.datasets.arrays import array_of
from anisweep.datasets.canonical import DIAMETERS
from anisweep.datasets.errors import Place

#: Three lengths for all particles, three for each species, one (N, 3) array or three (N,) arrays by name,
#: or ``None``: the file has ``c_diameter[1]``, ``[2]`` and ``[3]``.
Diameters = Sequence[float] | Mapping[str, Sequence[float]] | str | Sequence[str] | None

#: Upstream gives NaN for ellipsoids that are flatter than this. Angstrom.
SMALLEST = 1e-3

ALLOWED = "three lengths, three lengths for each species, or names of arrays"

EXAMPLE = "write for example `diameters: [3.0, 3.0, 1.0]`"

Array = np.ndarray[Any, Any]


def diameters_of(atoms: Atoms, given: Diameters, place: Place) -> Array:
    """Diameters of each particle, shape (N, 3), Angstrom.

    Raises
    ------
    DataError
        For a missing array or species, or another shape.
    """
    if isinstance(given, Mapping):
        values = _by_species(atoms, given, place)
    elif given is None or isinstance(given, str) or all(isinstance(item, str) for item in given):
        values = _from_arrays(atoms, given, place)
    else:
        values = np.tile(_three(given, "diameters", place), (len(atoms), 1))

    return values


def _by_species(atoms: Atoms, given: Mapping[str, Sequence[float]], place: Place) -> Array:
    missing = sorted(set(atoms.symbols) - set(given))

    if missing:
        came = f"species {missing[0]} has none"
        allowed = f"three lengths for each of {', '.join(sorted(set(atoms.symbols)))}"
        raise place.error("diameters", came, allowed, f"add `{missing[0]}: [a, b, c]` to `diameters:`")

    lengths = {
        symbol: _three(given[symbol], f"diameters of {symbol}", place) for symbol in set(atoms.symbols)
    }
    return np.array([lengths[symbol] for symbol in atoms.symbols])


def _from_arrays(atoms: Atoms, given: Any, place: Place) -> Array:
    names = [given] if isinstance(given, str) else list(DIAMETERS if given is None else given)

    if len(names) not in (1, 3):
        raise place.error("diameters", f"{len(names)} arrays are named", ALLOWED, "name one array or three")

    wanted = (len(atoms), 3) if len(names) == 1 else (len(atoms),)
    columns = []

    for name in names:
        values = array_of(atoms, name, place)
        if values.shape != wanted:
            came = f"its shape is {values.shape}"
            remedy = "name one array of three columns, or three arrays of one column each"
            raise place.error(f"array {name}", came, f"shape {wanted}", remedy)
        columns.append(values)

    return columns[0] if len(names) == 1 else np.column_stack(columns)


def _three(given: Sequence[Any], part: str, place: Place) -> Array:
    """Three numbers, or an error that shows what came."""
    try:
        lengths = np.array(given, dtype=float)
    except (TypeError, ValueError):
        lengths = np.array([])

    if lengths.shape != (3,):
        raise place.error(part, f"{given!r} came", ALLOWED, EXAMPLE)

    return lengths


def check_size(values: Array, place: Place) -> None:
    """Refuse what the published package cannot compute.

    Raises
    ------
    DataError
        For a diameter below 0.001 Angstrom.
    """
    # NaN is not smaller than anything, so the question is which are large enough.
    wrong = np.argwhere(~((values >= SMALLEST) & np.isfinite(values)))

    if len(wrong):
        particle, axis = wrong[0]
        came = f"particle {particle} has {values[particle, axis]:g} along body axis {axis + 1}"
        remedy = "remove this frame, or give the particle a shape"
        raise place.error("diameters", came, f"finite lengths of at least {SMALLEST:g} Angstrom", remedy)
