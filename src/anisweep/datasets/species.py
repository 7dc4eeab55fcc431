"""Translate the species of particles between numbers, which are computed with, and names.

A species is a label: elements, numeric types of a simulation and names of beads are all allowed. Everything
that computes uses a number, and everything that people read or write uses the name of their file.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
from ase import Atoms
from ase.data import atomic_numbers, chemical_symbols

#: The entry of ``Atoms.info`` with names of species by number, where they are not the usual ones.
NAMES = "species_names"

#: The entry of ``Atoms.info`` with the error about a file that names no species, for those who need some.
NO_SPECIES = "no_species"

#: Labels of metatensor have 32 bits. Names of beads get the upper half of the positive ones.
LARGEST = 2**31 - 1
FIRST_OF_NAMES = 2**30


def number_of(name: str) -> int:
    """Return the number of a species: of an element its atomic number, of an integer itself.

    Any other name has a number that depends on nothing but the name, so that it is the same in every file.

    Raises
    ------
    ValueError
        When the name is empty, or an integer that cannot be a label.

    Examples
    --------
    >>> number_of("C"), number_of("150")
    (6, 150)
    >>> number_of("NC3") == number_of("NC3") > 2**30
    True
    """
    if name.isascii() and name.lstrip("+-").isdigit():
        number = int(name) if len(name) <= len(str(LARGEST)) + 1 else LARGEST + 1
        if not 1 <= number <= LARGEST:
            raise ValueError(f"species {name[:40]} is not between 1 and {LARGEST}")
        return number

    symbol = name.capitalize()
    if symbol in atomic_numbers:
        return int(atomic_numbers[symbol])

    if not name.strip():
        raise ValueError("a species has no name")
    return FIRST_OF_NAMES + int(hashlib.sha256(name.encode()).hexdigest(), 16) % FIRST_OF_NAMES


def usual_name(number: int) -> str:
    """Return the symbol of an element for its atomic number, and the digits of any other number."""
    return chemical_symbols[number] if 0 <= number < len(chemical_symbols) else str(number)


def remember(frame: Atoms, names: Iterable[str]) -> None:
    """Keep the names of a frame's species in it, as far as `usual_name` does not give them.

    Raises
    ------
    ValueError
        When two names have one number, as ``1`` and ``H`` have.
    """
    known: dict[int, str] = {}
    for name in names:
        add_name(known, number_of(name), name)

    kept = {number: name for number, name in known.items() if usual_name(number) != name}
    if kept:
        frame.info[NAMES] = kept


def add_name(known: dict[int, str], number: int, name: str) -> None:
    """Add the name of a species to those that are known.

    Raises
    ------
    ValueError
        When the number has another name already.
    """
    other = known.setdefault(number, name)
    if other != name:
        raise ValueError(f"{other!r} and {name!r} would be one species, number {number}")


def names_in(frame: Atoms) -> dict[int, str]:
    """Return the name of each species of a frame, by number, in the order of the numbers."""
    kept = frame.info.get(NAMES, {})
    numbers = np.unique(frame.numbers).tolist()
    return {number: kept.get(number, usual_name(number)) for number in numbers}


def name_from_yaml(key: Any) -> str:
    """Return a species as YAML gives it: ``150`` comes as a number, and ``No`` as false.

    Raises
    ------
    ValueError
        When it cannot be told what was written.
    """
    if isinstance(key, str):
        return key
    if isinstance(key, int) and not isinstance(key, bool):
        return str(key)
    raise ValueError(f'YAML reads {key!r} for a species: write its name in quotes, as in "No"')


def number_among(names: Mapping[int, str], name: str) -> int | None:
    """Return the number of a species by its name in a file, or by its number in digits; else ``None``."""
    for number, known in names.items():
        if known == name:
            return number

    return next((number for number in names if str(number) == name), None)
