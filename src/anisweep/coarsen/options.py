"""Define what a user may say about the atoms of a file."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

#: Units of mass, length and energy in LAMMPS; a force is an energy over a length, a torque an energy.
UNITS = {
    "real": "g/mol, Angstrom, kcal/mol",
    "metal": "g/mol, Angstrom, eV",
    "lj": "reduced",
    "electron": "amu, Bohr, Hartree",
    "micro": "pg, um, pg um^2/us^2",
    "nano": "ag, nm, ag nm^2/ns^2",
}


@dataclass(frozen=True)
class CoarseOptions:
    """Say what a molecule is, and what the file itself does not say.

    Attributes
    ----------
    molecules : name of an array with the number of each atom's molecule, or the atoms of each molecule as
        lists, counted from 0 in the order of the file (of its ids, where it has some); None: by convention
    masses : by species; of species that are not there the file's own, else those of elements
    forces : name of an array, or of its columns; None: by convention
    names : of the kinds of molecules, in the order in which they appear
    units : a style of LAMMPS, one of ``UNITS``; None: what the file says
    longest_bond : in the file's unit of length, how far an atom may be from all others of its molecule; None:
        2.2 times the median of all bonds
    """

    molecules: str | Sequence[Sequence[int]] | None = None
    masses: Mapping[str, float] = field(default_factory=dict)
    forces: str | Sequence[str] | None = None
    names: Sequence[str] = ()
    units: str | None = None
    longest_bond: float | None = None
