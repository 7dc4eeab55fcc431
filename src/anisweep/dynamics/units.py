"""Define the units in which particles move: of energy as the model has it, with Angstrom, u, fs and K."""

from __future__ import annotations

from dataclasses import dataclass

from ase import units

from anisweep.descriptors.errors import BadInput


@dataclass(frozen=True)
class UnitSystem:
    """Hold what follows from the unit of energy.

    Attributes
    ----------
    boltzmann : energy of a kelvin
    acceleration : of a mass u by a force of one energy per Angstrom, in Angstrom per fs^2
    style : of units in LAMMPS
    time : one fs in LAMMPS
    """

    boltzmann: float
    acceleration: float
    style: str
    time: float


#: By the unit of energy. Reduced units have no kelvin and no fs: temperatures are energies.
UNIT_SYSTEMS = {
    "eV": UnitSystem(units.kB, units.fs**2, "metal", 1e-3),
    "kcal/mol": UnitSystem(
        units.kB / (units.kcal / units.mol), units.fs**2 * (units.kcal / units.mol), "real", 1.0
    ),
    "reduced": UnitSystem(1.0, 1.0, "lj", 1.0),
}


def unit_system(name: str) -> UnitSystem:
    """Return the units that go with a unit of energy.

    Raises
    ------
    BadInput
        For one that is not known, as that of a model which names none.
    """
    if name not in UNIT_SYSTEMS:
        allowed = ", ".join(map(repr, UNIT_SYSTEMS))
        raise BadInput(
            f"the unit of energy is {name!r}: fit the model, or move it, with unit= one of {allowed}"
        )
    return UNIT_SYSTEMS[name]
