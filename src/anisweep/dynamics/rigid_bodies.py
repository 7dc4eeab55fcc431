"""Move rigid particles by the forces and torques of a model, many systems at a time."""

from __future__ import annotations

import os
import sys
import time
from contextlib import ExitStack
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
from ase import Atoms

from anisweep.datasets.oriented_xyz import text_of
from anisweep.descriptors.errors import BadInput
from anisweep.descriptors.frames import frames_as_list
from anisweep.dynamics.bodies import forget_labels, motion_of, numbers_of, units_of
from anisweep.dynamics.free_rotation import matrices_of, turned, unit_quaternions
from anisweep.files import durable
from anisweep.formatting import duration


@dataclass(frozen=True)
class Langevin:
    """Say how a heat bath acts: its temperature in K, and the damping time of all motions in fs."""

    temperature: float
    damping: float

    def __post_init__(self) -> None:
        if not 0 <= self.temperature < np.inf or not 0 < self.damping < np.inf:
            raise BadInput(f"a heat bath has a temperature from 0 on and a damping time above 0, not {self}")


class RigidBodies:
    """Move the particles of some frames, each a system of its own, as rigid bodies.

    Steps are those of velocity Verlet, and orientations turn by NO_SQUISH. With a heat bath each step ends
    with its friction and noise. Units are that of the model's energy, Angstrom, u, fs and K.

    Parameters
    ----------
    model : RidgeModel
        What gives energies, forces and torques; any model whose ``compute`` takes the arrays of frames.
    frames : list of Atoms
        Where the systems start; they are not changed. They are at rest unless they have the arrays
        ``velocities`` and ``angular_momenta``, as what a run wrote has: so runs are continued.
    masses : float or ndarray, shape (particles of all frames,), optional
        In u; else the frames' array ``mass``, which `anisweep.coarsen` makes.
    inertia : ndarray, shape (3,) or (particles of all frames, 3), optional
        Moments about the body axes in u Angstrom^2; else the frames' array ``moments``. A particle does not
        turn about an axis whose moment is 0.
    unit : str, optional
        Of the model's energies: ``eV``, ``kcal/mol`` or ``reduced``; else as the model says.
    seed : int
        Of velocities and heat baths. The same seed, threads and machine give the same bits.
    sharp_cutoff : bool
        Allow a model without ``cutoff_smoothing``, whose energy jumps.

    Attributes
    ----------
    energies : ndarray, shape (frames,)
        Potential energies.
    forces, torques, velocities, angular_momenta : ndarray, shape (particles of all frames, 3)
        In the lab frame; the last two in Angstrom and u Angstrom^2 per fs.

    Raises
    ------
    BadInput
        For frames, masses and moments, naming frame and particle; an unknown unit; a sharp cutoff.

    Examples
    --------
    >>> bodies = RigidBodies(model, frames, seed=1)  # doctest: +SKIP
    >>> bodies.draw_velocities(300)  # doctest: +SKIP
    >>> bodies.run(1000, 2.0, Langevin(300, damping=500), "run.xyz", progress=True)  # doctest: +SKIP
    """

    def __init__(
        self,
        model: Any,
        frames: Any,
        masses: Any = None,
        inertia: Any = None,
        unit: str | None = None,
        seed: int = 0,
        sharp_cutoff: bool = False,
    ) -> None:
        self._units = units_of(model, unit, sharp_cutoff)
        self.model = model
        self._start = frames_as_list(frames)
        gathered = model.projection.gather(self._start)
        self._arrays = replace(gathered, rotations=unit_quaternions(gathered.rotations))
        self._frame = np.repeat(np.arange(len(gathered.counts)), gathered.counts)

        self._masses = numbers_of("mass", masses, self._start, gathered)[:, None]
        self._moments = numbers_of("moments", inertia, self._start, gathered, (3,))
        turning = self._moments > 0
        self._inverse = np.divide(1.0, self._moments, where=turning, out=np.zeros_like(self._moments))
        self._freedoms = self._summed(3 + turning.sum(axis=1))

        self.velocities = motion_of("velocities", self._start, gathered)
        self.angular_momenta = motion_of("angular_momenta", self._start, gathered)
        self.time = 0.0
        self._random = np.random.default_rng(seed)
        self._update_forces()

    @property
    def kinetic_energies(self) -> np.ndarray:
        """Return the energies of motion and rotation of each frame, (frames,)."""
        turning = np.einsum("pjk,pj->pk", matrices_of(self._arrays.rotations), self.angular_momenta)
        doubled = (self._masses * self.velocities**2 + turning**2 * self._inverse).sum(axis=1)
        return self._summed(doubled / (2 * self._units.acceleration))

    @property
    def temperatures(self) -> np.ndarray:
        """Return the temperature of all degrees of freedom of each frame, (frames,)."""
        temperatures: np.ndarray = 2 * self.kinetic_energies / (self._units.boltzmann * self._freedoms)
        return temperatures

    def frames(self) -> list[Atoms]:
        """Return the frames as they are now, with energy, forces, torques and motion, and a time in fs.

        Positions are not wrapped into the cell.
        """
        frames = [start.copy() for start in self._start]
        matrices = self.model.projection.rotation_type == "matrix"

        for frame, part, energy in zip(frames, self._parts(), self.energies.tolist(), strict=True):
            forget_labels(frame)
            turns = self._arrays.rotations[part].copy()
            frame.positions = self._arrays.positions[part]
            frame.arrays[self.model.projection.rotation_key] = matrices_of(turns) if matrices else turns
            frame.arrays |= {"forces": self.forces[part], "torques": self.torques[part]}
            frame.arrays["velocities"] = self.velocities[part].copy()
            frame.arrays["angular_momenta"] = self.angular_momenta[part].copy()
            frame.info |= {"energy": energy, "time": self.time}
        return frames

    def draw_velocities(self, temperature: float) -> None:
        """Draw velocities and angular momenta as they are distributed at a temperature."""
        self._mix(0.0, temperature)

    def run(
        self,
        steps: int,
        step: float,
        thermostat: Langevin | None = None,
        trajectory: str | os.PathLike[str] | None = None,
        every: int = 100,
        progress: bool = False,
    ) -> None:
        """Move for some steps of time, in fs.

        Parameters
        ----------
        thermostat : Langevin, optional
            A heat bath; without it the total energy is conserved.
        trajectory : str or Path, optional
            A new file of extended XYZ, which grows by all frames every so many steps, one after another, with
            orientations ``c_q`` (w, x, y, z) and all that :meth:`frames` returns. Its last frames, read with
            :func:`anisweep.read_particles`, continue the run.
        every : int
            Steps between what is written, and shown.
        progress : bool
            Show on standard error how far it is, and the time left.

        Raises
        ------
        BadInput
            Naming frame and particle, when particles are thrown out of all bounds.
        FileExistsError
            When the trajectory is there already.
        """
        if every < 1:
            raise BadInput(f"every must be a whole number from 1 on, not {every!r}")
        if trajectory is not None and Path(trajectory).exists():
            raise FileExistsError(
                f"{trajectory} is there already, and no trajectory is overwritten: choose another name. "
                "To go on from it, start from its last frames, read by anisweep.read_particles"
            )

        started = time.monotonic()
        with ExitStack() as files:
            stream = None if trajectory is None else files.enter_context(durable(Path(trajectory)))
            for done in range(1, steps + 1):
                try:
                    self._move(step)
                except BadInput as error:
                    raise BadInput(f"after {done} steps: {error}. Take a smaller step") from None

                if thermostat is not None:
                    self._mix(np.exp(-step / thermostat.damping), thermostat.temperature)
                if done % every == 0 and stream is not None:
                    stream.write(self._text())
                    stream.flush()
                if progress and (done % every == 0 or done == steps):
                    left = duration((time.monotonic() - started) * (steps / done - 1))
                    print(f"{done:,} of {steps:,} steps, {left} left", file=sys.stderr)

    def _move(self, step: float) -> None:
        """Make one step without a heat bath."""
        self._kick(step / 2)
        arrays = self._arrays
        arrays.positions[:] += step * self.velocities
        arrays.rotations[:] = turned(arrays.rotations, self.angular_momenta, self._inverse.T, step)
        self._update_forces()
        self._kick(step / 2)
        self.time += step

    def _kick(self, step: float) -> None:
        """Change velocities and angular momenta by forces and torques."""
        push = step * self._units.acceleration
        self.velocities += push / self._masses * self.forces
        self.angular_momenta += push * self.torques

    def _mix(self, kept: float, temperature: float) -> None:
        """Keep a part of velocities and angular momenta, and replace the rest by chance."""
        width = (1 - kept**2) * self._units.boltzmann * temperature * self._units.acceleration
        moving, turning = self._random.normal(size=(2, *self.velocities.shape)) * np.sqrt(width)
        turning *= np.sqrt(self._moments)

        self.velocities = kept * self.velocities + moving / np.sqrt(self._masses)
        turning = np.einsum("pjk,pk->pj", matrices_of(self._arrays.rotations), turning)
        self.angular_momenta = kept * self.angular_momenta + turning

    def _update_forces(self) -> None:
        self.energies, derivatives = self.model.compute(self._arrays)
        self.forces, self.torques = derivatives.forces, derivatives.torques

    def _text(self) -> bytes:
        """Return the frames as a file has them, one after another."""
        frames = self.frames()
        for number, (frame, part) in enumerate(zip(frames, self._parts(), strict=True)):
            frame.arrays["c_q"] = self._arrays.rotations[part]
            frame.info["system"] = number
        return "".join(map(text_of, frames)).encode()

    def _parts(self) -> list[slice]:
        """Return where the particles of each frame are."""
        return [slice(begin, end) for begin, end in pairwise(self._arrays.start.tolist())]

    def _summed(self, values: np.ndarray) -> np.ndarray:
        """Return the sums over the particles of each frame."""
        return np.bincount(self._frame, values, minlength=len(self._start))
