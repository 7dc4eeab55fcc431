"""Move rigid particles by the forces and torques of a model, many systems at a time."""

from __future__ import annotations

import os
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
from ase import Atoms

from anisweep.datasets.user_files.orientations import from_matrices
from anisweep.descriptors.errors import BadInput
from anisweep.descriptors.frames import frames_as_list
from anisweep.dynamics.bodies import masses_of, moments_of, require_smooth_cutoff
from anisweep.dynamics.free_rotation import matrices_of, turned
from anisweep.dynamics.progress import StepProgress
from anisweep.dynamics.trajectory import Trajectory
from anisweep.dynamics.units import unit_system


@dataclass(frozen=True)
class Langevin:
    """Say how a heat bath acts on all particles, on how they move and on how they turn.

    Attributes
    ----------
    temperature : float
        In kelvin; an energy in reduced units.
    damping : float
        Time in fs within which the bath makes a motion forgotten, as LAMMPS's ``damp``.
    """

    temperature: float
    damping: float

    def __post_init__(self) -> None:
        if not 0 <= self.temperature < np.inf or not 0 < self.damping < np.inf:
            raise BadInput(f"a heat bath has a temperature from 0 on and a damping time above 0, not {self}")


class RigidBodies:
    r"""Move the particles of some frames, which are systems of their own, as rigid bodies.

    Steps are those of velocity Verlet, and orientations turn by NO_SQUISH: both are symplectic and of second
    order. With a heat bath each step ends with friction and noise on velocities and angular momenta, exactly
    integrated.

    Units are those of the model's energy, with Angstrom, u (g/mol), fs and K.

    Parameters
    ----------
    model : RidgeModel
        What gives energies, forces and torques; any model whose ``compute`` takes the arrays of frames.
    frames : list of Atoms
        Where the systems start, at rest; they are not changed.
    masses : float or ndarray, shape (particles of all frames,), optional
        In u; else the frames' array ``mass``, which `anisweep.coarsen` makes.
    inertia : ndarray, shape (3,) or (particles of all frames, 3), optional
        Moments of inertia about the body axes in u Angstrom^2; else the frames' array ``moments``. A particle
        does not turn about an axis whose moment is 0.
    unit : str, optional
        Of the model's energies: ``eV``, ``kcal/mol`` or ``reduced``; else as the model says.
    seed : int
        Of velocities and of heat baths. With the same seed, number of threads and machine, all bits are the
        same.
    sharp_cutoff : bool
        Allow a model without ``cutoff_smoothing``, whose energy jumps.

    Attributes
    ----------
    energies : ndarray, shape (frames,)
        Potential energies.
    forces, torques : ndarray, shape (particles of all frames, 3)
        In the lab frame.
    velocities : ndarray, shape (particles of all frames, 3)
        In Angstrom per fs.
    angular_momenta : ndarray, shape (particles of all frames, 3)
        In the lab frame, in u Angstrom^2 per fs.
    time : float
        In fs.

    Raises
    ------
    BadInput
        For frames, masses and moments, naming frame and particle; for a unit that is not known, and a sharp
        cutoff.

    Examples
    --------
    >>> import numpy as np
    >>> from ase import Atoms
    >>> from anisweep.descriptors import EllipsoidalDensityProjection
    >>> from anisweep.dynamics import RigidBodies
    >>> from anisweep.models import RidgeModel
    >>> def pair(distance):
    ...     frame = Atoms("X2", positions=[[0, 0, 0], [distance, 0, 0]])
    ...     frame.arrays["quaternion"] = np.array([[1.0, 0, 0, 0]] * 2)
    ...     for axis in (1, 2, 3):
    ...         frame.arrays[f"c_diameter[{axis}]"] = np.full(2, 2.0)
    ...     return frame
    >>> projection = EllipsoidalDensityProjection(
    ...     4, "gto", 7.0, radial_gaussian_width=1.5, cutoff_smoothing=1.0
    ... )
    >>> distances = np.linspace(3, 6, 31)
    >>> model = RidgeModel.fit(projection, [pair(d) for d in distances], -np.exp(-distances), unit="eV")

    Two spheres attract each other, and the energy of the motion comes from that:

    >>> bodies = RigidBodies(model, [pair(4.0)], masses=10.0, inertia=[4.0, 4.0, 4.0])
    >>> before = bodies.total_energies
    >>> bodies.run(steps=100, step=2.0)
    >>> apart = bodies.frames()[0].get_distance(0, 1)
    >>> bool(apart < 4.0), bool(np.allclose(bodies.total_energies, before, rtol=1e-4))
    (True, True)
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
        require_smooth_cutoff(model, sharp_cutoff)
        self._units = unit_system(model.unit if unit is None else unit)
        self.model = model
        self._start = frames_as_list(frames)
        gathered = model.projection.gather(self._start)
        self._arrays = replace(gathered, rotations=_unit_quaternions(gathered.rotations))
        self._frame = np.repeat(np.arange(len(gathered.counts)), gathered.counts)

        self._masses = masses_of(self._start, gathered, masses)[:, None]
        self._moments = moments_of(self._start, gathered, inertia)
        turning = self._moments > 0
        self._inverse = np.divide(1.0, self._moments, where=turning, out=np.zeros_like(self._moments))
        self._freedoms = self._summed(3 + turning.sum(axis=1))

        self.velocities = np.zeros_like(gathered.positions)
        self.angular_momenta = np.zeros_like(gathered.positions)
        self.time = 0.0
        self._random = np.random.default_rng(seed)
        self._update_forces()

    @property
    def kinetic_energies(self) -> np.ndarray:
        """Return the energies of motion and rotation of each frame, (frames,)."""
        turning = np.einsum("pjk,pj->pk", matrices_of(self._arrays.rotations), self.angular_momenta)
        doubled = (self._masses * self.velocities**2).sum(axis=1) + (turning**2 * self._inverse).sum(axis=1)
        return self._summed(doubled / (2 * self._units.acceleration))

    @property
    def total_energies(self) -> np.ndarray:
        """Return potential and kinetic energy of each frame, (frames,)."""
        total: np.ndarray = self.energies + self.kinetic_energies
        return total

    @property
    def temperatures(self) -> np.ndarray:
        """Return the temperature of each frame, (frames,); all degrees of freedom count."""
        temperatures: np.ndarray = 2 * self.kinetic_energies / (self._units.boltzmann * self._freedoms)
        return temperatures

    def frames(self) -> list[Atoms]:
        """Return the frames as they are now, with ``forces`` and ``torques`` among their arrays.

        Positions are not wrapped into the cell.
        """
        frames = [start.copy() for start in self._start]
        matrices = self.model.projection.rotation_type == "matrix"

        for frame, part in zip(frames, self._parts(), strict=True):
            turns = self._arrays.rotations[part].copy()
            frame.positions = self._arrays.positions[part]
            frame.arrays[self.model.projection.rotation_key] = matrices_of(turns) if matrices else turns
            frame.arrays |= {"forces": self.forces[part], "torques": self.torques[part]}
            frame.info["time"] = self.time
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
        """Move for some steps.

        Parameters
        ----------
        steps : int
            How many.
        step : float
            Of time, in fs.
        thermostat : Langevin, optional
            A heat bath; without it the total energy is conserved.
        trajectory : str or Path, optional
            A new file of extended XYZ, to which all frames are added every so many steps, one after another:
            with orientations ``c_q`` (w, x, y, z), forces, torques and, where the frames have them, masses,
            moments and diameters.
        every : int
            Steps between what is written.
        progress : bool
            Show on standard error how far it is, and the time left.

        Raises
        ------
        BadInput
            Naming frame and particle, when particles are thrown out of all bounds.
        FileExistsError
            When the trajectory is there already.
        """
        shown = StepProgress(steps, progress)
        with Trajectory(None if trajectory is None else Path(trajectory), every) as written:
            for done in range(1, steps + 1):
                try:
                    self._move(step)
                except BadInput as error:
                    raise BadInput(f"after {done} steps: {error}. Take a smaller step") from None
                if thermostat is not None:
                    self._mix(np.exp(-step / thermostat.damping), thermostat.temperature)
                written.add(done, self._quaternion_frames)
                shown.show(done)

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

    def _quaternion_frames(self) -> list[Atoms]:
        """Return the frames with orientations as files have them."""
        frames = self.frames()
        for frame, part in zip(frames, self._parts(), strict=True):
            frame.arrays["c_q"] = self._arrays.rotations[part].copy()
        return frames

    def _parts(self) -> list[slice]:
        """Return where the particles of each frame are."""
        return [slice(begin, end) for begin, end in pairwise(self._arrays.start.tolist())]

    def _summed(self, values: np.ndarray) -> np.ndarray:
        """Return the sums over the particles of each frame."""
        return np.bincount(self._frame, values, minlength=len(self._start))


def _unit_quaternions(rotations: np.ndarray) -> np.ndarray:
    """Return orientations, quaternions of any length or matrices, as quaternions of length one."""
    if rotations.shape[1] == 9:
        return from_matrices(rotations.reshape(-1, 3, 3))
    quaternions: np.ndarray = rotations / np.linalg.norm(rotations, axis=1, keepdims=True)
    return quaternions
