"""Learn a Gay-Berne fluid from LAMMPS's own potential, run it, and see whether its structure comes out right.

The potential is LAMMPS's `pair_style gayberne` (sigma0 = 2, as the unit of length is 1, kappa 3, kappa' 5,
mu 2, nu 1) of 72 particles at the reduced temperature 1.25, isotropic at the reduced density 0.28, nematic at
0.34. Energies are in epsilon. Of the study's data set only the number of frames counts: so many
configurations are learned from; with 60 of them a run takes 2,000 steps, and with fewer a part of these. What
LAMMPS computes is kept for the modes that follow in the same process, and nowhere else. Structures are means
over four runs: those of single runs of the true potential differ by up to 0.09 in g(r).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import lru_cache
from types import SimpleNamespace
from typing import Any

import numpy as np
from ase import Atoms

from anisweep.cell import Hypers
from anisweep.datasets.canonical import IDENTITY, canonical
from anisweep.models import FitSettings, LabelWeights, RidgeModel, TrainingSettings
from anisweep.modes import Timer, Unavailable, require
from anisweep.tasks._learning import errors_of, labels_of, projection_for

MODES = {
    "true_potential": "LAMMPS's own potential, with other random numbers",
    "neural_pair": "a network of the pair features, on top of their linear model",
    "ridge_pair": "a linear model of the pair features",
    "ridge_poor": "a poor linear model: up to lmax 4, and the particle's own diameters blur its wall away",
}
PRECISIONS = ("fp64",)
DEVICES = ("cpu",)
SAME_RESULT = False
RESULTS = {
    "force_error": "RMSE of forces on another trajectory, over their root mean square",
    "torque_error": "RMSE of torques on another trajectory, over their root mean square",
    "energy_error": "RMSE of energies per particle on another trajectory, over kT",
    "nematic_force_error": "the same of forces of the nematic, which was not learned",
    "nematic_torque_error": "the same of torques of the nematic",
    "nematic_energy_error": "the same of energies of the nematic",
    "g_difference": "mean difference of g(r) of four runs from that of the true potential",
    "g_largest": "largest difference of g(r) of four runs from that of the true potential",
    "energy_difference": "energy per particle in four runs, less that of the true potential (epsilon)",
    "temperature": "mean temperature of the runs, of all degrees of freedom (1.25 is wanted)",
    "nve_drift": "largest change of the total energy per particle over 200 steps, over kT",
}
JUDGED_BY = "force_error"
RESULTS_S = 20.0

_SIGMA = 2.0
_TEMPERATURE = 1.25
_ISOTROPIC = 0.28
_NEMATIC = 0.34
_STEP = 0.004 * _SIGMA
_DAMPING = 0.3 * _SIGMA

#: Moments of inertia of a solid ellipsoid of mass 1 and diameters 2, 2 and 6, which is then LAMMPS's shape.
_INERTIA = np.array([2.0, 2.0, 0.4])

#: Diameters of the density in the features: with those of the particle it would blur the wall away.
_DENSITY = (0.6, 0.6, 2.1)
_SMOOTHING = 1.0
_ALPHA = 1e-10

#: Largest l of the poor model, whose density has the diameters of the particle.
_POOR = 4
_OWN = (2.0, 2.0, 6.0)

#: Of the energies in training: there is one beside the 432 components of forces and torques of a frame.
_ENERGIES = 20.0

#: Runs over which structures are means, each from another configuration.
_RUNS = 4

#: Steps between configurations and between samples; of a whole run.
_APART = 100
_EVERY = 20
_LONGEST = 2000

#: Configurations of the full size.
_ENOUGH = 60

#: The fewest steps of melting, and of equilibration; else they are as many as those of a run.
_SHORTEST = 300

_POTENTIAL = """
unfix model
pair_style gayberne 1.0 1.0 2.0 8.0
pair_coeff * * 1.0 2.0 1 1 0.2 1 1 0.2
timestep {step!r}
compute rotation all erotate/asphere
thermo_modify norm no
velocity all create {temperature!r} {seed}
fix move all nve/asphere
"""

#: `nvt/asphere` would count turns about the long axis, which no torque acts on, and heat the others.
_BATH = "fix bath all langevin {t!r} {t!r} {damping!r} {seed} angmom 3.333"


class _TrueFluid:
    """Hold a LAMMPS whose particles feel its own potential, in place of a model."""

    def __init__(self, start: Atoms, seed: int) -> None:
        from anisweep.dynamics import LammpsBodies

        no_model = SimpleNamespace(projection=projection_for(Hypers(), _SMOOTHING), unit="reduced")
        try:
            self._bodies = LammpsBodies(no_model, start, 1.0, _INERTIA)
        except ImportError as error:
            raise Unavailable(str(error)) from None

        self._random = np.random.default_rng(seed)
        numbers = {"step": _STEP, "temperature": _TEMPERATURE, "seed": self._seed()}
        self._bodies.command(_POTENTIAL.format(**numbers))

    def _seed(self) -> int:
        return int(self._random.integers(1, 100_000))

    def run(self, steps: int, temperature: float | None = _TEMPERATURE) -> None:
        """Run in a heat bath, or without one."""
        if temperature is None:
            self._bodies.command(f"run {steps} post no")
            return
        self._bodies.command(_BATH.format(t=temperature, damping=_DAMPING, seed=self._seed()))
        self._bodies.command(f"run {steps} post no\nunfix bath")

    @property
    def energies(self) -> tuple[float, float]:
        """Return the potential energy, and that of motion and rotation."""
        program = self._bodies.lammps
        return program.get_thermo("pe"), program.get_thermo("ke") + program.extract_compute("rotation", 0, 0)

    def frame(self) -> Atoms:
        """Return the particles with their labels, without the heat bath's part in the forces."""
        self._bodies.command("run 0 post no")
        program = self._bodies.lammps
        frame = self._bodies.frame()
        order = np.argsort(program.numpy.extract_atom("id")[: len(frame)])
        frame.info["energy"] = float(program.get_thermo("pe"))
        frame.arrays["forces"] = program.numpy.extract_atom("f")[order]
        frame.arrays["torques"] = program.numpy.extract_atom("torque")[order]
        return frame


class _LearnedFluid:
    """Hold bodies that a model moves."""

    def __init__(self, model: Any, start: Atoms, seed: int) -> None:
        from anisweep.dynamics import RigidBodies

        self._bodies = RigidBodies(model, [start], 1.0, _INERTIA, unit="reduced", seed=seed)
        self._bodies.draw_velocities(_TEMPERATURE)

    def run(self, steps: int, temperature: float | None = _TEMPERATURE) -> None:
        """Run in a heat bath, or without one."""
        from anisweep.dynamics import Langevin

        bath = None if temperature is None else Langevin(temperature, _DAMPING)
        self._bodies.run(steps, _STEP, bath)

    @property
    def energies(self) -> tuple[float, float]:
        """Return the potential energy, and that of motion and rotation."""
        return float(self._bodies.energies[0]), float(self._bodies.kinetic_energies[0])

    def frame(self) -> Atoms:
        """Return the particles as they are now."""
        return self._bodies.frames()[0]


@dataclass(frozen=True)
class _Structure:
    """Hold what some runs looked like: g(r), the energy per particle, and the temperature."""

    g: np.ndarray
    energy: float
    temperature: float

    @classmethod
    def of(cls, fluids: list[Any], steps: int) -> _Structure:
        """Return the means over a run of each, of which the first tenth does not count."""
        from anisweep.dynamics import pair_correlations

        frames, energies = [], []
        for fluid in fluids:
            fluid.run(max(_EVERY, steps // 10))
            for _ in range(max(2, steps // _EVERY)):
                fluid.run(_EVERY)
                frames.append(fluid.frame())
                energies.append(fluid.energies)

        edges = np.linspace(0.8 * _SIGMA, frames[0].cell[0, 0] / 2, 16)
        potential, kinetic = np.mean(energies, axis=0) / len(frames[0])
        return cls(pair_correlations(frames, edges)[0], float(potential), float(kinetic) / 3)


class _Study:
    """Hold what was learned, and the fluid that is run."""

    def __init__(self, mode: str, hypers: Hypers, count: int) -> None:
        self.poor = mode == "ridge_poor"
        self.steps = round(_LONGEST * min(1.0, count / _ENOUGH))
        self.tested = self.frames(_ISOTROPIC, 2, max(_RUNS, count // 3))
        self.model = None
        if mode != "true_potential":
            self.model = _learned(mode, hypers, self.frames(_ISOTROPIC, 1, count))
        self.fluid = self.new(0, seed=3)

    def frames(self, density: float, seed: int, count: int) -> list[Atoms]:
        """Return configurations with the diameters of the model's density."""
        frames = [frame.copy() for frame in _trajectory(density, seed, count, self.steps)]
        for axis, diameter in enumerate(_OWN if self.poor else _DENSITY, start=1):
            for frame in frames:
                frame.arrays[f"c_diameter[{axis}]"][:] = diameter
        return frames

    def new(self, place: int, seed: int) -> Any:
        """Return a fluid that starts from one of the configurations that were not learned from."""
        start = self.tested[place]
        return _TrueFluid(start, seed) if self.model is None else _LearnedFluid(self.model, start, seed)


def prepare(mode: str, hypers: Hypers, precision: str, device: str, frames: list[Atoms]) -> _Study:
    """Let LAMMPS make configurations, and learn from them."""
    require("precision", precision, PRECISIONS)
    require("device", device, DEVICES)
    return _Study(mode, hypers, len(frames))


def compute(calculator: _Study, frames: list[Atoms], clock: Timer) -> np.ndarray:
    """Return the positions (particles, 3) after twenty more steps in a heat bath."""
    with clock.stage("steps"):
        calculator.fluid.run(_EVERY)
    with clock.stage("frame"):
        return np.asarray(calculator.fluid.frame().positions)


def results(calculator: _Study, frames: list[Atoms]) -> dict[str, float]:
    """Return errors on other configurations, and what a run looks like beside one of the true potential."""
    fluids = [calculator.new(place, seed=4 + place) for place in range(_RUNS)]
    true = _reference(len(calculator.tested), calculator.steps)
    found = _Structure.of(fluids, calculator.steps)
    return {
        **_errors(calculator),
        "g_difference": float(np.abs(found.g - true.g).mean()),
        "g_largest": float(np.abs(found.g - true.g).max()),
        "energy_difference": found.energy - true.energy,
        "temperature": found.temperature,
        "nve_drift": _drift(fluids[0]),
    }


def _errors(study: _Study) -> dict[str, float]:
    """Return the errors of a model, also for the nematic; none of the true potential."""
    if study.model is None:
        return {}
    nematic = study.frames(_NEMATIC, 2, len(study.tested))
    there = errors_of(study.model, study.tested, _TEMPERATURE)
    ordered = errors_of(study.model, nematic, _TEMPERATURE)
    return there | {f"nematic_{name}": error for name, error in ordered.items()}


def _drift(fluid: Any) -> float:
    """Return the largest change of the total energy per particle over 200 steps, over kT."""
    totals = []
    for _ in range(20):
        fluid.run(10, None)
        totals.append(sum(fluid.energies))
    return float(np.abs(np.subtract(totals, totals[0])).max()) / (len(fluid.frame()) * _TEMPERATURE)


def _learned(mode: str, hypers: Hypers, frames: list[Atoms]) -> Any:
    """Return the model of some configurations."""
    if mode == "ridge_poor":
        hypers = replace(hypers, max_angular=_POOR)
    projection = projection_for(hypers, _SMOOTHING)
    if mode != "neural_pair":
        labels = labels_of(frames)
        return RidgeModel.fit(
            projection, frames, **labels, alpha=_ALPHA, unit="reduced", features="pair_features"
        )

    from anisweep.models.training import train

    weights = LabelWeights(energies=_ENERGIES)
    fit = FitSettings(alpha=_ALPHA, weights=weights, unit="reduced", features="pair_features")
    settings = TrainingSettings(fit, epochs=max(4, len(frames)), batch=2)
    return train(projection, frames, **labels_of(frames), settings=settings).model


@lru_cache
def _trajectory(density: float, seed: int, count: int, steps: int) -> tuple[Atoms, ...]:
    """Return configurations of a run that begins with a lattice, which at the lower density melts."""
    fluid = _TrueFluid(_lattice(density), seed)
    steps = max(_SHORTEST, steps)
    if density == _ISOTROPIC:
        fluid.run(steps, 4 * _TEMPERATURE)
    fluid.run(steps)

    frames = []
    for _ in range(count):
        fluid.run(_APART)
        frames.append(fluid.frame())
    return tuple(frames)


def _lattice(density: float) -> Atoms:
    """Return 72 particles side by side, all parallel."""
    grid = np.stack(np.meshgrid(range(6), range(6), range(2), indexing="ij"), axis=-1).reshape(-1, 3)
    box = _SIGMA * (len(grid) / density) ** (1 / 3)
    atoms = Atoms("X" * len(grid), (grid + 0.25) * box / [6, 6, 2], cell=[box] * 3, pbc=True)
    return canonical(atoms, IDENTITY, _DENSITY)


@lru_cache
def _reference(count: int, steps: int) -> _Structure:
    """Return what runs of the true potential look like that are four times as long."""
    starts = _trajectory(_ISOTROPIC, 2, count, steps)[:_RUNS]
    return _Structure.of([_TrueFluid(start, 9 + place) for place, start in enumerate(starts)], 4 * steps)
