"""Molecules with exact answers, placed and turned as tests ask."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from ase import Atoms
from ase.data import atomic_masses, atomic_numbers
from scipy.spatial.transform import Rotation

RING = np.deg2rad(60 * np.arange(6))
CIRCLE = np.column_stack([np.cos(RING), np.sin(RING), 0 * RING])


@dataclass(frozen=True)
class Molecule:
    """A rigid molecule, about its centre of mass."""

    species: tuple[str, ...]
    places: np.ndarray

    @property
    def masses(self) -> np.ndarray:
        return np.array([atomic_masses[atomic_numbers[name]] for name in self.species])


def molecule(species: str, places: np.ndarray) -> Molecule:
    each = Molecule(tuple(species.split()), np.asarray(places, dtype=float))
    return Molecule(each.species, each.places - each.masses @ each.places / each.masses.sum())


#: A disc, and it stands in the plane of x and y.
BENZENE = molecule("C C C C C C H H H H H H", np.vstack([1.39 * CIRCLE, 2.48 * CIRCLE]))

#: Three different moments; the longest axis is x, the normal is z.
WATER = molecule("O H H", [[0, 0, 0], [0.757, 0.586, 0], [-0.757, 0.586, 0]])

#: A line along x.
CARBON_DIOXIDE = molecule("O C O", [[-1.16, 0, 0], [0, 0, 0], [1.16, 0, 0]])

#: A rod along x: a prolate symmetric top.
ETHYNYL = molecule(
    "C C C H H H", [[0, 0, 0], [1.2, 0, 0], [2.6, 0, 0], *([3, 0, 0] + CIRCLE[::2][:, [2, 0, 1]] * 1.03)]
)

#: All moments are equal.
METHANE = molecule(
    "C H H H H", [[0, 0, 0], *(0.63 * np.array([[1, 1, 1], [1, -1, -1], [-1, 1, -1], [-1, -1, 1]]))]
)

ARGON = molecule("Ar", [[0, 0, 0]])

CUBE = 30 * np.eye(3)
TRICLINIC = np.array([[24.0, 0, 0], [9.0, 22.0, 0], [-8.0, 7.0, 20.0]])


def placed(
    molecules: list[Molecule], centres: np.ndarray, turns: Rotation, cell: np.ndarray | None = CUBE
) -> Atoms:
    """A frame of turned molecules, numbered from 1, each atom wrapped into the cell by itself."""
    places = [
        turn.apply(each.places) + centre for each, centre, turn in zip(molecules, centres, turns, strict=True)
    ]
    frame = Atoms(
        [name for each in molecules for name in each.species],
        positions=np.vstack(places),
        cell=cell,
        pbc=cell is not None,
    )
    frame.arrays["mol"] = np.repeat(np.arange(len(molecules)) + 1, [len(each.species) for each in molecules])
    if cell is not None:
        frame.wrap()
    return frame


def spread(count: int, cell: np.ndarray = CUBE) -> np.ndarray:
    """Centres that lie apart, some of them on the boundary."""
    corners = np.array([[x, y, z] for x in (0, 0.5) for y in (0, 0.5) for z in (0, 0.5)], dtype=float)
    return corners[:count] @ cell


def apart(first: np.ndarray, second: np.ndarray, frame: Atoms) -> float:
    """How far places are apart, by the nearest images."""
    vectors = first - second
    if frame.pbc.any():
        vectors -= np.round(vectors @ np.linalg.inv(frame.cell.array)) @ frame.cell.array
    return float(np.abs(vectors).max())


def axes_of(particles: Atoms) -> np.ndarray:
    """The body axes, (particles, 3, 3), in columns."""
    return Rotation.from_quat(particles.arrays["c_q"], scalar_first=True).as_matrix()


def dump(frame: Atoms, order: np.ndarray | None = None, columns: str = "id mol mass x y z fx fy fz") -> str:
    """A frame as a dump of LAMMPS, in a cube, without species."""
    count = len(frame)
    values = {
        "id": np.arange(1, count + 1),
        "mol": frame.arrays["mol"],
        "mass": frame.get_masses(),
        **dict(zip(("x", "y", "z"), frame.positions.T, strict=True)),
        **dict(zip(("fx", "fy", "fz"), frame.arrays.get("forces", 0 * frame.positions).T, strict=True)),
    }
    rows = np.column_stack([values[name] for name in columns.split()])[
        slice(None) if order is None else order
    ]
    bounds = "".join(f"0 {length!r}\n" for length in map(float, frame.cell.lengths()))
    head = (
        f"ITEM: TIMESTEP\n7\nITEM: NUMBER OF ATOMS\n{count}\nITEM: BOX BOUNDS pp pp pp\n{bounds}ITEM: ATOMS "
    )
    return head + columns + "\n" + "".join(f"{' '.join(f'{value:.12g}' for value in row)}\n" for row in rows)
