"""Learn liquid benzene from the forces and torques of atoms, and let it flow: what is right, and how fast.

Of the given frames two are tested at a time and the others learned from, every two of them once, at most 15
pairs; of fewer than six frames one is tested at a time. With 15 tests the dynamics take 10 ps, and with fewer
a part that goes with the square. Frames that are far apart tell nothing of diffusion, so that there is
nothing to compare it with, and it is left out.

Forces and torques are in kcal/mol, Angstrom and radian. The study's frames of 500 molecules are those of the
example trajectory of afmcg (H. T. L. Nguyen and D. M. Huang, J. Chem. Phys. 156, 184118, 2022; CC-BY 4.0).
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import combinations
from typing import Any

import numpy as np
from ase import Atoms

from anisweep.cell import Hypers
from anisweep.datasets.canonical import DIAMETERS, LABELS
from anisweep.descriptors import EllipsoidalDensityProjection
from anisweep.descriptors.kernels.run import Output, widths
from anisweep.models import FitSettings, RidgeModel, TrainingSettings
from anisweep.models.equations import NormalEquations
from anisweep.models.labels import TrainingLabels
from anisweep.models.rows import FitRows
from anisweep.modes import Timer, Unavailable, require
from anisweep.tasks._learning import labels_of, projection_for, require_labels, rms

MODES = {
    "power_spectrum": "a linear model of the power spectrum",
    "pair_features": "a linear model of the pair features",
    "joined": "a linear model of both",
    "neural": "a network of the pair features, on top of their linear model",
    "wide_density": "a linear model of the power spectrum, with diameters 3, 3 and 1",
}
PRECISIONS = ("fp64",)
DEVICES = ("cpu",)
SAME_RESULT = False
RESULTS = {
    "force_rmse": "RMSE of forces over all splits (kcal/mol/Angstrom)",
    "torque_rmse": "RMSE of torques over all splits (kcal/mol)",
    "worst_force_rmse": "RMSE of forces in the worst split (kcal/mol/Angstrom)",
    "worst_torque_rmse": "RMSE of torques in the worst split (kcal/mol)",
    "force_rms": "root mean square of the given forces (kcal/mol/Angstrom)",
    "torque_rms": "root mean square of the given torques (kcal/mol)",
    "functions": "number of features that the model is made of",
    "fit_s": "seconds to learn from the frames that are not tested",
    "g_difference": "mean difference of g(r) from that of the given frames, 4 to 10 Angstrom",
    "g2_difference": "the same of how parallel the planes are, weighted by g(r)",
    "temperature_drift": "mean temperature in the second half of the run, less 300 K, over 300 K",
    "steps_per_second": "steps of dynamics of 500 molecules a second",
}
JUDGED_BY = "force_rmse"
RESULTS_S = 12.0

_WIDE = (3.0, 3.0, 1.0)

#: The fewest frames: a network needs one to learn from, one to choose its epoch, and one is tested.
_FEWEST = 3
_MOST_SPLITS = 15

#: In Angstrom; without it no dynamics conserve the energy.
_SMOOTHING = 1.5
_ALPHA = 1e-10

#: In u and u Angstrom^2, from the rotational constants of benzene, 0.1897 and half of it (1/cm).
_MASS = 78.11
_INERTIA = np.array([88.8, 88.8, 177.6])

_KELVIN = 300.0
_STEP_FS = 2.0
_LONGEST_FS = 10_000.0

#: Steps between samples.
_EVERY = 20

#: Angstrom.
_BINS = np.arange(4.0, 10.1, 0.25)


@dataclass(frozen=True)
class _Both:
    """Add up two linear models."""

    one: RidgeModel
    other: RidgeModel

    @property
    def projection(self) -> EllipsoidalDensityProjection:
        return self.one.projection

    @property
    def unit(self) -> str:
        return self.one.unit

    def compute(self, frames: Any) -> tuple[np.ndarray, Any]:
        """Return energies and their derivatives."""
        (energies, slopes), (more, others) = self.one.compute(frames), self.other.compute(frames)
        sums = {name: getattr(slopes, name) + getattr(others, name) for name in ("positions", "rotations")}
        return energies + more, replace(slopes, **sums, strain=slopes.strain + others.strain)


class _Liquid:
    """Hold the given frames, and what learns from them."""

    def __init__(self, mode: str, hypers: Hypers, frames: list[Atoms]) -> None:
        self.mode, self.projection = mode, projection_for(hypers, _SMOOTHING)
        self.frames = [_widened(frame) for frame in frames] if mode == "wide_density" else frames
        self.splits = _splits(len(frames))
        self.share = (len(self.splits) / _MOST_SPLITS) ** 2
        self.epochs = 2 * len(self.splits)
        self._equations: dict[int, NormalEquations] = {}

        if mode == "neural":
            import torch  # noqa: F401  (before the clock runs)

        begin = time.perf_counter()
        self.model = self.learned(self.splits[0])
        self.fit_s = time.perf_counter() - begin

    @property
    def outputs(self) -> tuple[Output, ...]:
        """Return the kinds of features."""
        if self.mode == "joined":
            return ("pair_features", "power_spectrum")
        return ("pair_features",) if self.mode in ("pair_features", "neural") else ("power_spectrum",)

    @property
    def widths(self) -> list[int]:
        """Return the numbers of features of each kind."""
        counts = self.projection.tables.radial.counts
        return [sum(widths(counts, 1, each)) for each in self.outputs]

    def learned(self, tested: Sequence[int]) -> Any:
        """Return the model of the frames that are not tested."""
        there = [place for place in range(len(self.frames)) if place not in tested]
        settings = FitSettings(alpha=_ALPHA, features=self.outputs[0], unit="kcal/mol")
        if self.mode == "neural":
            return self._trained([self.frames[place] for place in there], settings)

        equations = NormalEquations(1, sum(self.widths))
        for place in there:
            equations.join(self._equations_of(place))

        intercepts, weights = equations.solve(settings.alpha, settings.weights)
        species = (int(self.frames[0].numbers[0]),)
        parts = np.split(weights, np.cumsum(self.widths)[:-1])
        models = [
            RidgeModel(self.projection, part, intercepts, species, settings.unit, output)
            for part, output in zip(parts, self.outputs, strict=True)
        ]
        return models[0] if len(models) == 1 else _Both(*models)

    def _equations_of(self, place: int) -> NormalEquations:
        """Return what a frame says of the weights; each is asked once."""
        if place not in self._equations:
            self._equations[place] = self._new_equations(self.frames[place])
        return self._equations[place]

    def _new_equations(self, frame: Atoms) -> NormalEquations:
        arrays = self.projection.gather([frame])
        labels = TrainingLabels.of(arrays, None, frame.arrays["forces"], frame.arrays["torques"], None)
        rows = [
            FitRows(self.projection, arrays, arrays.species, labels, output).between(0, 1)
            for output in self.outputs
        ]
        equations = NormalEquations(1, sum(self.widths))
        for kind in rows[0]:
            features = [each[kind][:, 1:-1] for each in rows]
            equations.add({kind: np.hstack([rows[0][kind][:, :1], *features, rows[0][kind][:, -1:]])})
        return equations

    def _trained(self, frames: list[Atoms], fit: FitSettings) -> Any:
        """Return the network of all frames but one, of the epoch that is best for that one."""
        from anisweep.models.training import train

        settings = TrainingSettings(fit, validation=1 / len(frames), epochs=self.epochs, batch=1)
        return train(self.projection, frames, **labels_of(frames), settings=settings).model


def prepare(mode: str, hypers: Hypers, precision: str, device: str, frames: list[Atoms]) -> _Liquid:
    """Learn from the frames that are not tested first."""
    require("precision", precision, PRECISIONS)
    require("device", device, DEVICES)
    require_labels(frames, LABELS, "a file with forces and torques")
    if len(frames) < _FEWEST:
        raise Unavailable(f"{len(frames)} frames are too few to learn and to test: take {_FEWEST} or more")
    return _Liquid(mode, hypers, frames)


def compute(calculator: _Liquid, frames: list[Atoms], clock: Timer) -> np.ndarray:
    """Return forces and torques (particles, 6) of a frame that was not learned from."""
    with clock.stage("forces"):
        _, slopes = calculator.model.compute([calculator.frames[calculator.splits[0][0]]])
        return np.hstack([slopes.forces, slopes.torques])


def results(calculator: _Liquid, frames: list[Atoms]) -> dict[str, float]:
    """Test all splits, and run dynamics from a frame that was not learned from."""
    given = labels_of(calculator.frames)
    return {
        **_errors(calculator),
        "force_rms": rms(given["forces"]),
        "torque_rms": rms(given["torques"]),
        "functions": float(sum(calculator.widths)),
        "fit_s": calculator.fit_s,
        **_flow(calculator),
    }


def _splits(count: int) -> list[tuple[int, ...]]:
    """Return the numbers of the frames that are tested together."""
    every = list(combinations(range(count), 2 if count >= 2 * _FEWEST else 1))
    return every[:: -(-len(every) // _MOST_SPLITS)]


def _widened(frame: Atoms) -> Atoms:
    """Return a frame whose particles have wide densities."""
    wide = frame.copy()
    for name, diameter in zip(DIAMETERS, _WIDE, strict=True):
        wide.arrays[name] = np.full(len(frame), diameter)
    return wide


def _errors(liquid: _Liquid) -> dict[str, float]:
    """Return the errors over all splits, and those of the worst ones."""
    found = []
    for tested in liquid.splits:
        frames = [liquid.frames[place] for place in tested]
        _, slopes = liquid.learned(tested).compute(frames)
        true = labels_of(frames)
        found.append(
            (
                rms(slopes.forces - np.vstack(true["forces"])),
                rms(slopes.torques - np.vstack(true["torques"])),
            )
        )

    of_all = np.sqrt(np.mean(np.square(found), axis=0))
    worst = np.max(found, axis=0)
    names = ("force_rmse", "torque_rmse", "worst_force_rmse", "worst_torque_rmse")
    return dict(zip(names, map(float, [*of_all, *worst]), strict=True))


def _flow(liquid: _Liquid) -> dict[str, float]:
    """Return how a run compares with the given frames."""
    from anisweep.dynamics import Langevin, RigidBodies, pair_correlations

    start = liquid.frames[liquid.splits[0][0]]
    bodies = RigidBodies(liquid.model, [start], _MASS, _INERTIA, seed=1)
    bodies.draw_velocities(_KELVIN)
    bath = Langevin(_KELVIN, damping=500.0)
    pieces = max(3, round(liquid.share * _LONGEST_FS / (_STEP_FS * _EVERY)))

    snapshots, temperatures = [], []
    begin = time.perf_counter()
    for _ in range(pieces):
        bodies.run(_EVERY, _STEP_FS, bath)
        snapshots.append(bodies.frames()[0])
        temperatures.append(float(bodies.temperatures[0]))
    seconds = time.perf_counter() - begin

    g, g2 = pair_correlations(snapshots[pieces // 3 :], _BINS)
    true, true2 = pair_correlations(liquid.frames, _BINS)
    return {
        "g_difference": float(np.abs(g - true).mean()),
        "g2_difference": float(np.nansum(np.abs(g2 - true2) * true) / true.sum()),
        "temperature_drift": float(np.mean(temperatures[pieces // 2 :])) / _KELVIN - 1,
        "steps_per_second": pieces * _EVERY / seconds,
    }
