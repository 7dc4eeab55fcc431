"""Put models behind ASE's interface."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from ase import Atoms
from ase.calculators.calculator import Calculator, all_changes
from ase.outputs import Properties, all_outputs

from anisweep.descriptors.arrays import DIAMETERS
from anisweep.models.ridge import RidgeModel


class RidgeCalculator(Calculator):  # type: ignore[misc]
    """Put a `RidgeModel` behind ASE's interface: energy, forces, stress and torques.

    A turned or reshaped particle is a new geometry, as a moved one is.

    ``results["torques"]`` holds the torques (particles, 3) in the lab frame. The stress is the symmetric
    part of dE/d strain over volume, at fixed orientations.

    Parameters
    ----------
    model : RidgeModel
        What gives the energies.
    """

    implemented_properties = ("energy", "free_energy", "forces", "stress", "torques")

    def __init__(self, model: RidgeModel) -> None:
        super().__init__()
        self.model = model

    def check_state(self, atoms: Atoms, tol: float = 1e-15) -> list[str]:
        """Return what changed since the last calculation, orientations and diameters included."""
        changes: list[str] = super().check_state(atoms, tol)
        names = () if changes else (self.model.projection.rotation_key, *DIAMETERS)
        return changes + [
            name for name in names if not np.array_equal(atoms.arrays.get(name), self.atoms.arrays.get(name))
        ]

    def export_properties(self) -> Properties:
        """Return the results that ASE has a name for, which torques have not."""
        return Properties({name: value for name, value in self.results.items() if name in all_outputs})

    def calculate(
        self,
        atoms: Atoms | None = None,
        properties: Sequence[str] = ("energy",),
        system_changes: Any = all_changes,
    ) -> None:
        """Compute energy, forces and torques, and the stress where the cell is periodic."""
        super().calculate(atoms, properties, system_changes)
        energies, derivatives = self.model.compute([self.atoms])
        energy = float(energies[0])
        self.results = {
            "energy": energy,
            "free_energy": energy,
            "forces": derivatives.forces,
            "torques": derivatives.torques,
        }

        if self.atoms.pbc.all():
            stress = derivatives.strain[0] / self.atoms.get_volume()
            self.results["stress"] = ((stress + stress.T) / 2).ravel()[[0, 4, 8, 5, 2, 1]]
