"""Find the diameters of a user's particles along the body axes, and check them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from ase import Atoms

from anisweep.datasets.canonical import DIAMETERS
from anisweep.datasets.errors import Place
from anisweep.datasets.species import names_in, number_among
from anisweep.datasets.user_files.arrays import columns_of, values_of
from anisweep.datasets.user_files.columns import LENGTHS, Columns, stem_of
from anisweep.datasets.user_files.conventions import length_by_convention
from anisweep.datasets.user_files.frame_checks import LARGEST, check_fit

#: Three lengths for all particles, three for each species, one (N, 3) array or three (N,) arrays by their
#: names or the stem of these, or ``None``: the file has ``c_diameter[1]``, ``[2]`` and ``[3]``, or one array
#: ``c_diameter`` of three columns.
Diameters = Sequence[float] | Mapping[str, Sequence[float]] | str | Sequence[str] | None

#: The three of `DIAMETERS` in one array.
WHOLE = "c_diameter"

#: Upstream gives NaN for ellipsoids that are flatter than this. Angstrom.
SMALLEST = 1e-3

ALLOWED = "three lengths, three lengths for each species, or names of arrays"

EXAMPLE = "write for example `diameters: [3.0, 3.0, 1.0]`"

Array = np.ndarray[Any, Any]


def diameters_of(atoms: Atoms, given: Diameters, place: Place, radii: bool | None = None) -> Array:
    """Return the diameters of each particle, shape (N, 3), Angstrom.

    Parameters
    ----------
    radii : whether the lengths are semi-axes, half as long; ``None``: by the convention for the array's name

    Raises
    ------
    DataError
        For a missing array or species, or another shape.
    """
    if isinstance(given, Mapping):
        values = _by_species(atoms, given, place)
    elif given is None or isinstance(given, str) or all(isinstance(item, str) for item in given):
        usual = WHOLE if WHOLE in atoms.arrays else DIAMETERS
        names: Any = usual if given is None else given
        columns = columns_of(atoms, names, LENGTHS, place)
        values = _from_arrays(atoms, columns, place)
        radii = length_by_convention(columns.stem).radii if radii is None else radii
    else:
        values = np.tile(_three(given, "diameters", place), (len(atoms), 1))

    with np.errstate(over="ignore"):  # what is not finite is refused where it is used
        return 2.0 * values if radii else values


def unusual_length(given: Diameters) -> bool | None:
    """Return True where the name of an array means semi-axes; else ``None``."""
    if given is None or isinstance(given, Mapping):
        return None

    names: Any = given
    named = isinstance(given, str) or all(isinstance(item, str) for item in given)
    return True if named and length_by_convention(stem_of(names, LENGTHS)).radii else None


def _by_species(atoms: Atoms, given: Mapping[str, Sequence[float]], place: Place) -> Array:
    names = names_in(atoms)
    by_number = _numbered(names, given, place)
    missing = [name for number, name in names.items() if number not in by_number]

    if missing:
        came = f"species {missing[0]} has none"
        allowed = f"three lengths for each of {', '.join(sorted(names.values()))}"
        raise place.error("diameters", came, allowed, f"add `{missing[0]}: [a, b, c]` to `diameters:`")

    numbers = list(names)
    lengths = [_three(by_number[number], f"diameters of {names[number]}", place) for number in numbers]
    values: Array = np.array(lengths)[np.searchsorted(numbers, atoms.numbers)]
    return values


def _numbered(
    names: Mapping[int, str], given: Mapping[str, Sequence[float]], place: Place
) -> dict[int, Sequence[float]]:
    """Return what is given for the species that are there, by their numbers."""
    lengths: dict[int, Sequence[float]] = {}

    for name, three in given.items():
        number = number_among(names, str(name))
        if number in lengths:
            came = f"species {names[number]} is given twice, once as {name}"
            raise place.error("diameters", came, "each species once", "leave one of the two out")
        if number is not None:
            lengths[number] = three

    return lengths


def _from_arrays(atoms: Atoms, columns: Columns, place: Place) -> Array:
    if len(columns.names) not in (1, 3):
        came = f"{len(columns.names)} arrays are named"
        raise place.error("diameters", came, ALLOWED, "name one array or three")

    values = values_of(atoms, columns, place)
    if values.shape != (len(atoms), 3):
        came = f"its shape is {values.shape}"
        remedy = "name one array of three columns, or three arrays of one column each"
        raise place.error(f"array {columns.in_words}", came, f"shape {(len(atoms), 3)}", remedy)

    return values


def _three(given: Sequence[Any], part: str, place: Place) -> Array:
    """Return three numbers, or raise an error that shows what came."""
    try:
        lengths = np.array(given, dtype=float)
    except (TypeError, ValueError):
        lengths = np.array([])

    if lengths.shape != (3,):
        raise place.error(part, f"{given!r} came", ALLOWED, EXAMPLE)

    return lengths


def check_diameters(atoms: Atoms, values: Array, place: Place) -> None:
    """Refuse what the published package cannot compute, and particles that do not fit into their cell.

    Raises
    ------
    DataError
        For a diameter below 0.001 Angstrom, and as `check_fit` does.
    """
    _check_size(values, place)
    check_fit(atoms, values, place)


def _check_size(values: Array, place: Place) -> None:
    # NaN is not smaller than anything, so the question is which are large enough.
    wrong = np.argwhere(~((values >= SMALLEST) & (values < LARGEST)))

    if len(wrong):
        particle, axis = wrong[0]
        came = f"particle {particle} has {values[particle, axis]:g} along body axis {axis + 1}"
        remedy = "remove this frame, or give the particle a shape"
        allowed = f"finite lengths of at least {SMALLEST:g} Angstrom, below {LARGEST:g}"
        raise place.error("diameters", came, allowed, remedy)
