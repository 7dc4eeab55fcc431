"""Define canonical frames, the only form of data that all other parts of the project use.

A canonical frame is an ``ase.Atoms`` with

- ``arrays["c_q"]``, shape (N, 4): unit quaternions (w, x, y, z), body -> lab frame;
- ``arrays["c_diameter[1]"]``, ``[2]``, ``[3]``, shape (N,): diameters along the body axes, Angstrom;
- a cell where it is periodic; vectors of other directions are zero;
- where species have names that their numbers do not give, these in ``info["species_names"]``;
- where there is an energy to learn, ``info["interaction_energy"]``, per molecule;
- where they are known, ``info["energy"]`` of all and ``arrays["forces"]`` and ``["torques"]``, shape (N, 3),
  in the units of their file.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from ase import Atoms
from numpy.typing import ArrayLike

from anisweep.datasets.species import NAMES

DIAMETERS = ("c_diameter[1]", "c_diameter[2]", "c_diameter[3]")

#: What is learned is what molecules have of each other: a total would be learned from their number alone.
ENERGY = "interaction_energy"

#: Of a whole frame, and of its particles.
TOTAL_ENERGY = "energy"
LABELS = ("forces", "torques")

IDENTITY = (1.0, 0.0, 0.0, 0.0)


def without_brackets(name: str) -> str:
    """Return ``c_diameter1`` for ``c_diameter[1]``, as ASE may have renamed it."""
    return name.replace("[", "").replace("]", "")


#: The diameters under these names.
BARE_DIAMETERS = tuple(map(without_brackets, DIAMETERS))


def canonical(atoms: Atoms, quaternions: ArrayLike, diameters: ArrayLike) -> Atoms:
    """Return a canonical frame with the species, positions, cell and labels of ``atoms``, nothing else of it.

    Parameters
    ----------
    quaternions : shape (4,) or (N, 4); (w, x, y, z), any norm but zero
    diameters : shape (3,) or (N, 3); Angstrom
    """
    cell = np.where(atoms.pbc[:, None], atoms.cell.array, 0.0)
    frame = Atoms(atoms.numbers, positions=atoms.positions, cell=cell, pbc=atoms.pbc)
    if NAMES in atoms.info:
        frame.info[NAMES] = atoms.info[NAMES]

    turned = np.broadcast_to(np.asarray(quaternions, dtype=float), (len(frame), 4))
    frame.arrays["c_q"] = normalised(turned)

    widths = np.broadcast_to(np.asarray(diameters, dtype=float), (len(frame), 3))
    for name, width in zip(DIAMETERS, widths.T, strict=True):
        frame.arrays[name] = width.copy()

    _keep_labels(atoms, frame)
    return frame


def _keep_labels(atoms: Atoms, frame: Atoms) -> None:
    """Keep energy, forces and torques that are numbers of the usual shapes; others are no labels."""
    energy = atoms.info.get(TOTAL_ENERGY)
    if isinstance(energy, int | float) and not isinstance(energy, bool) and np.isfinite(energy):
        frame.info[TOTAL_ENERGY] = energy

    for name in LABELS:
        given = atoms.arrays.get(name)
        fits = given is not None and given.shape == (len(atoms), 3) and given.dtype.kind == "f"
        if fits and np.isfinite(given).all():
            frame.arrays[name] = given.copy()


def normalised(quaternions: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """Return unit quaternions; those that are unit to the last digits stay as they are, bit for bit."""
    norms = np.sqrt((quaternions**2).sum(axis=1, keepdims=True))
    norms[np.abs(norms - 1.0) < 1e-15] = 1.0
    return np.asarray(quaternions / norms)
