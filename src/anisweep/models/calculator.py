"""Put models behind ASE's interface."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

import numpy as np
from ase import Atoms
from ase.calculators.calculator import Calculator, all_changes
from ase.outputs import Properties, all_outputs

from anisweep.descriptors.arrays import DIAMETERS
from anisweep.descriptors.errors import BadInput
from anisweep.descriptors.frames import frames_as_list, runs
from anisweep.descriptors.gradients import Gradients
from anisweep.descriptors.kernels.run import widths
from anisweep.descriptors.projection import EllipsoidalDensityProjection

#: Bytes for each feature of a particle, three numbers, and for all else that is kept of it.
OF_A_FEATURE, OF_A_PARTICLE = 24, 512

#: Places of xx, yy, zz, yz, xz, xy among the nine numbers of a stress.
VOIGT = [0, 4, 8, 5, 2, 1]


class EnergyModel(Protocol):
    """What a calculator needs of a model."""

    @property
    def projection(self) -> EllipsoidalDensityProjection:
        """Return what describes frames."""

    @property
    def species(self) -> tuple[int, ...]:
        """Return the species that were learned."""

    def compute(self, frames: Any) -> tuple[np.ndarray, Gradients]:
        """Return energies with their derivatives."""


class AniSOAPCalculator(Calculator):  # type: ignore[misc]
    """Put a model behind ASE's interface: energy, forces, stress and torques.

    A turned or reshaped particle is a new geometry, as a moved one is.

    ``results["torques"]`` holds the torques (particles, 3) in the lab frame. The stress is the symmetric
    part of dE/d strain over volume, at fixed orientations.

    Parameters
    ----------
    model : RidgeModel or another model of `anisweep.models`
        What gives the energies.
    """

    implemented_properties = ("energy", "free_energy", "forces", "stress", "torques")

    def __init__(self, model: EnergyModel) -> None:
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
        self.results = self._results([self.atoms])[0]

    def calculate_batch(
        self,
        frames: Sequence[Atoms],
        properties: Sequence[str] = ("energy", "forces", "torques"),
        memory: int = 2**26,
    ) -> list[dict[str, Any]]:
        """Compute many frames, several at a time: the way to go for many small ones.

        Parameters
        ----------
        frames : list of Atoms
            What to compute; their own calculators do not matter.
        properties : list of str
            What to return, as ASE names it, and ``torques``.
        memory : int
            Bytes that may be taken on top; a frame that needs more is computed alone.

        Returns
        -------
        list of dict
            The properties of each frame by name, as `calculate` has them in ``results``.

        Raises
        ------
        BadInput
            For frames, naming frame and particle; for a property that there is not, and for the stress of a
            frame that is not periodic in all directions.
        """
        several = frames_as_list(frames)
        self._check(several, properties)
        counts = np.array([len(frame) for frame in several])
        features = sum(
            widths(self.model.projection.tables.radial.counts, len(self.model.species), "power_spectrum")
        )

        computed = []
        for begin, end in runs(counts, max(1, memory // (OF_A_FEATURE * features + OF_A_PARTICLE))):
            try:
                results = self._results(several[begin:end])
            except BadInput:
                self.model.compute(several[:end])  # which names the frame by its place among all
                raise
            computed += [{name: each[name] for name in properties} for each in results]
        return computed

    def _check(self, frames: list[Atoms], properties: Sequence[str]) -> None:
        unknown = [name for name in properties if name not in self.implemented_properties]
        if unknown:
            raise BadInput(
                f"properties: there is no {unknown[0]!r}. Allowed: {', '.join(self.implemented_properties)}"
            )
        for number, frame in enumerate(frames if "stress" in properties else []):
            if not frame.pbc.all():
                raise BadInput(f"frame {number}: it has no stress, as it is not periodic in all directions")

    def _results(self, frames: list[Atoms]) -> list[dict[str, Any]]:
        """Return the results of each frame, by ASE's names."""
        energies, derivatives = self.model.compute(frames)
        forces, torques, start = derivatives.forces, derivatives.torques, derivatives.arrays.start
        stresses = derivatives.stresses
        return [
            {
                "energy": energy,
                "free_energy": energy,
                "forces": forces[start[number] : start[number + 1]],
                "torques": torques[start[number] : start[number + 1]],
                **({"stress": stresses[number].ravel()[VOIGT]} if frame.pbc.all() else {}),
            }
            for number, (frame, energy) in enumerate(zip(frames, energies.tolist(), strict=True))
        ]


#: The name of the calculator of ridge models.
RidgeCalculator = AniSOAPCalculator
