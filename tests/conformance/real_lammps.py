"""LAMMPS itself, inside this process, and ellipsoids that it is given exactly."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from anisweep.dynamics import start_lammps


def start() -> Any:
    """Return a LAMMPS that prints nothing, or skip the test."""
    try:
        return start_lammps()
    except ImportError as error:
        pytest.skip(f"no LAMMPS: {error}")


@dataclass
class Ellipsoids:
    """Particles of two types in a box.

    Attributes
    ----------
    cell : (3, 3), vectors in rows
    positions, quaternions, diameters : (particles, 3 or 4); quaternions are (w, x, y, z)
    """

    cell: np.ndarray
    positions: np.ndarray
    quaternions: np.ndarray
    diameters: np.ndarray
    types: list[int]
    origin: np.ndarray = field(default_factory=lambda: np.zeros(3))

    @classmethod
    def random(cls, cell: Sequence[Sequence[float]], origin: Sequence[float] = (0, 0, 0)) -> Ellipsoids:
        """Seven of them, of which each has its own shape."""
        generator = np.random.default_rng(7)
        vectors, start = np.array(cell, dtype=float), np.array(origin, dtype=float)
        quaternions = generator.normal(size=(7, 4))

        return cls(
            cell=vectors,
            positions=start + generator.uniform(0.05, 0.95, (7, 3)) @ vectors,
            quaternions=quaternions / np.linalg.norm(quaternions, axis=1, keepdims=True),
            diameters=generator.uniform(1, 3, (7, 3)),
            types=[1, 2, 1, 2, 2, 1, 1],
            origin=start,
        )

    def data_file(self) -> str:
        """The text that gives them to LAMMPS, in the general form, with every digit."""
        shapes = np.column_stack([self.diameters, self.quaternions])
        vectors = [f"{_row(vector)} {name}" for vector, name in zip(self.cell, NAMES, strict=True)]
        atoms = [
            f"{identity} {kind} 1 1.0 {_row(position)}"
            for identity, (kind, position) in enumerate(zip(self.types, self.positions, strict=True), 1)
        ]
        ellipsoids = [f"{identity} {_row(shape)}" for identity, shape in enumerate(shapes, 1)]

        head = [f"{len(atoms)} atoms", "2 atom types", f"{len(atoms)} ellipsoids", *vectors]
        head.append(f"{_row(self.origin)} abc origin")
        sections = [[NOTE], head, ["Atoms # ellipsoid"], atoms, ["Ellipsoids"], ellipsoids]
        return "\n\n".join("\n".join(section) for section in sections) + "\n"


NOTE = "Ellipsoids for a test"
NAMES = ("avec", "bvec", "cvec")


def _row(numbers: Iterable[Any]) -> str:
    return " ".join(repr(float(number)) for number in numbers)


def loaded(particles: Ellipsoids, folder: Path, boundary: str = "p p p", before: str = "") -> Any:
    """LAMMPS with these particles, and computes `q` of quaternions and `s` of diameters."""
    program = start()
    (folder / "given.data").write_text(particles.data_file())

    commands = f"""
        units real
        atom_style ellipsoid
        boundary {boundary}
        {before}
        read_data {folder}/given.data
        pair_style zero 3.0
        pair_coeff * *
        compute q all property/atom quatw quati quatj quatk
        compute s all property/atom shapex shapey shapez
    """
    run(program, commands)
    return program


def run(program: Any, commands: str) -> None:
    """Give LAMMPS some lines."""
    for command in commands.splitlines():
        program.command(command.strip())
