"""Measure what each switch of training saves: kernels, caches, workers, fewer forces, lower precision.

Two thirds of the frames are learned from, the others are held out. They carry energies, forces and torques,
as those of the data set `gaussian_overlap` do. One call is an epoch, the features
of one, or a fit in closed form.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
from ase import Atoms

from anisweep.cell import Hypers
from anisweep.datasets.recipes import generated
from anisweep.describe import describe_cached
from anisweep.descriptors import EllipsoidalDensityProjection
from anisweep.descriptors.gradients import jacobian
from anisweep.models import FitSettings, RidgeModel, TrainingSettings
from anisweep.models.labels import TrainingLabels
from anisweep.models.rows import labelled_particles
from anisweep.modes import Timer, require
from anisweep.tasks._learning import errors_of, labels_of, projection_for, require_labels, rms

MODES = {
    "plain": "Torch's own steps; neighbours and features anew in each epoch",
    "on_kernels": "plain, but the C kernels are one operator of Torch",
    "cached_neighbours": "plain, but neighbours are found once",
    "force_fraction_30": "plain, but forces and torques of 30 % of the particles",
    "force_fraction_10": "plain, but forces and torques of 10 % of the particles",
    "fp32": "plain, but in single precision",
    "all_together": "the C kernels, neighbours found once, forces and torques of 30 % of the particles",
    "features": "the features alone, all that an epoch of energies needs besides its network",
    "cached_features": "the features alone, from the cache",
    "workers_0": "the features alone, by a DataLoader",
    "workers_1_fork": "one worker of the DataLoader, forked",
    "workers_2_fork": "two workers, forked",
    "workers_4_fork": "four workers, forked",
    "workers_8_fork": "eight workers, forked",
    "workers_2_spawn": "two workers, spawned",
    "closed_form": "a linear model of energies, forces and torques, in closed form",
    "closed_form_30": "in closed form, forces and torques of 30 % of the particles",
    "closed_form_10": "in closed form, forces and torques of 10 % of the particles",
}
PRECISIONS = ("fp64",)
DEVICES = ("cpu",)
SAME_RESULT = False
RESULTS = {
    "energy_error": "RMSE of energies per particle, held out, over their standard deviation",
    "force_error": "RMSE of forces, held out, over their root mean square",
    "torque_error": "RMSE of torques, held out, over their root mean square",
    "epochs_to_plain": "epochs to the smallest held-out error of ten plain ones, if twenty reach it",
    "stages_share": "stages of `train` over its wall time",
    "hit_speedup": "time to describe the frames over that of a hit in the cache",
    "hit_speedup_dense": "the same for ten frames of 96 particles of two species (n96_z2)",
    "hit_difference": "largest difference of a feature that is read from one that is computed",
    "changes_that_hit": "changed hyperparameters that find the features of others, of five",
    "damages_unseen": "damaged entries that give other features, of five",
    "first_epoch_s": "seconds of the first epoch, in which workers start",
    "workers_difference": "largest difference of a feature from that without workers",
    "energy_error_ratio": "RMSE of energies, held out, over that with forces of all particles",
    "force_error_ratio": "RMSE of forces, held out, over that with forces of all particles",
    "jacobian_share": "time of the derivatives by these particles over that by all",
}
RESULTS_S = 8.0

_EPOCHS = 10

#: Frames that a DataLoader's item holds.
_RUN = 32

_ALPHA = 1e-6

#: Hyperparameters that are others than those of the study.
_CHANGES: tuple[dict[str, Any], ...] = (
    {"max_angular": 2, "max_radial": 1},
    {"cutoff_radius": 6.53},
    {"radial_gaussian_width": 1.43},
    {"basis_rcond": 1.3e-8},
    {"basis_tol": 1.3e-3},
)


@dataclass(frozen=True)
class _Switches:
    """Say how a network is trained."""

    kernels: bool = False
    neighbours_once: bool = False
    fraction: float = 1.0
    precision: str = "fp64"


_SWITCHES = {
    "plain": _Switches(),
    "on_kernels": _Switches(kernels=True),
    "cached_neighbours": _Switches(neighbours_once=True),
    "force_fraction_30": _Switches(fraction=0.3),
    "force_fraction_10": _Switches(fraction=0.1),
    "fp32": _Switches(precision="fp32"),
    "all_together": _Switches(kernels=True, neighbours_once=True, fraction=0.3),
}
_FRACTIONS = {"closed_form": 1.0, "closed_form_30": 0.3, "closed_form_10": 0.1}


def prepare(mode: str, hypers: Hypers, precision: str, device: str, frames: list[Atoms]) -> Any:
    """Return what learns in one of the modes, with its first model."""
    require("precision", precision, PRECISIONS)
    require("device", device, DEVICES)
    require_labels(frames, ("energy", "forces", "torques"), "the data set gaussian_overlap")

    projection = projection_for(hypers)
    if mode in _SWITCHES:
        return _NetworkEpochs(_SWITCHES[mode], projection, frames)
    if mode in _FRACTIONS:
        return _ClosedForm(_FRACTIONS[mode], projection)
    return _FeatureEpochs(mode, hypers, frames)


def compute(calculator: Any, frames: list[Atoms], clock: Timer) -> np.ndarray:
    """Learn; return errors, features or weights."""
    return np.asarray(calculator.learn(frames, clock))


def results(calculator: Any, frames: list[Atoms]) -> dict[str, float]:
    """Return errors of held-out frames, and what there is to say of the mode."""
    return dict(calculator.results(frames))


def _parted(frames: list[Atoms]) -> tuple[list[Atoms], list[Atoms]]:
    """Return the frames to learn from, and the others."""
    learned = len(frames) * 2 // 3
    return frames[:learned], frames[learned:]


class _NetworkEpochs:
    """Train a network on energies, forces and torques, from the model that one epoch has made."""

    def __init__(
        self, switches: _Switches, projection: EllipsoidalDensityProjection, frames: list[Atoms]
    ) -> None:
        from anisweep.models.training import torch_projection, train

        learned, self._apart = _parted(frames)
        self._switches, self._projection = switches, projection
        fit = FitSettings(force_fraction=switches.fraction)
        self._settings = TrainingSettings(fit, epochs=1, precision=switches.precision)

        begin = time.perf_counter()
        trained = train(projection, learned, **labels_of(learned), settings=self._settings)
        self._stages_share = sum(trained.seconds.values()) / (time.perf_counter() - begin)
        self._start = trained.model

        self._in_torch = torch_projection(projection, self._settings)
        self._scales = _scales(learned)
        self._kept = self._batches(learned)
        self._loop = self._new_loop()

    def learn(self, frames: list[Atoms], clock: Timer) -> np.ndarray:
        """Return the error of one more epoch."""
        with clock.stage("neighbours"):
            once = self._switches.neighbours_once
            batches = self._kept if once else self._batches(_parted(frames)[0])
        self._loop.clock = clock
        return np.array(self._loop.run([batches, []], None, "", None))

    def results(self, frames: list[Atoms]) -> dict[str, float]:
        """Train anew, where it is fp64 by the kernels, whose numbers are those of Torch's steps."""
        plain = _NetworkEpochs(_Switches(kernels=True), self._projection, frames)
        goal = min(sum(each.values()) for each in plain.held_out(_EPOCHS))
        exact = self._switches.precision == "fp64"
        own = _NetworkEpochs(replace(self._switches, kernels=exact), self._projection, frames)
        found = own.held_out(2 * _EPOCHS)

        reached = [k for k, each in enumerate(found, 1) if sum(each.values()) <= 1.001 * goal]
        epochs = {"epochs_to_plain": float(reached[0])} if reached else {}
        return {**found[_EPOCHS - 1], "stages_share": self._stages_share, **epochs}

    def held_out(self, epochs: int) -> list[dict[str, float]]:
        """Return the errors after each epoch, from the start."""
        loop, found = self._new_loop(), []
        for _ in range(epochs):
            loop.run([self._kept, []], None, "", None)
            found.append(errors_of(loop.best_model(), self._apart))
        return found

    def _new_loop(self) -> Any:
        from anisweep.models.training import Loop, StageClock

        return Loop(self._start, self._in_torch, self._scales, self._settings, StageClock())

    def _batches(self, frames: list[Atoms]) -> list[Any]:
        """Return the frames with their neighbours; those that were not read keep Torch from the kernels."""
        from anisweep.models.training import labelled_batch

        arrays = self._in_torch.gather(frames)
        given = labels_of(frames)
        labels = TrainingLabels.of(arrays, given["energies"], given["forces"], given["torques"], None)
        labels = self._settings.fit.wanted(labels, arrays)
        runs = np.split(
            np.arange(len(frames)), range(self._settings.batch, len(frames), self._settings.batch)
        )

        batches = [labelled_batch(self._in_torch, arrays, run, labels, self._scales) for run in runs]
        if self._switches.kernels:
            return batches
        return [replace(each, batch=replace(each.batch, read=None)) for each in batches]


def _scales(frames: list[Atoms]) -> dict[str, float]:
    """Return what makes labels of each kind of size one."""
    labels = labels_of(frames)
    energies = np.array(labels["energies"]) / [len(frame) for frame in frames]
    vectors = {kind: 1 / rms(np.vstack(labels[kind])) for kind in ("forces", "torques")}
    return {"energies": 1 / float(np.std(energies)), **vectors}


@dataclass(frozen=True)
class _DescribedRuns:
    """Describe runs of frames one by one, as a DataLoader asks for them, in whatever process."""

    projection: EllipsoidalDensityProjection
    runs: list[list[Atoms]]

    def __len__(self) -> int:
        """Return the number of runs."""
        return len(self.runs)

    def __getitem__(self, place: int) -> np.ndarray:
        """Return the means over the particles of each frame of a run."""
        return self.projection.describe(self.runs[place]).values


class _FeatureEpochs:
    """Make the features of an epoch, always of the frames that it began with, as training does."""

    def __init__(self, mode: str, hypers: Hypers, frames: list[Atoms]) -> None:
        self._mode, self._hypers, self._learned = mode, hypers, _parted(frames)[0]
        self._projection = projection_for(hypers)
        self._folder = TemporaryDirectory()
        self._loader = self._new_loader() if mode.startswith("workers") else None

    def learn(self, frames: list[Atoms], clock: Timer) -> np.ndarray:
        """Return the mean features of each frame."""
        with clock.stage("features"):
            if self._loader is not None:
                return np.vstack(list(self._loader))
            if self._mode == "cached_features":
                return describe_cached(self._projection, self._learned, self._folder.name).values
            return self._projection.describe(self._learned).values

    def results(self, frames: list[Atoms]) -> dict[str, float]:
        """Return what there is to say of cache or workers; the features, so the model, are the same."""
        if self._mode == "cached_features":
            return self._of_the_cache(Path(self._folder.name, "results"))
        return self._of_the_workers() if self._loader else {}

    def _new_loader(self) -> Any:
        """Return a DataLoader whose workers live on."""
        from torch.utils.data import DataLoader

        _, count, *how = self._mode.split("_")
        runs = [self._learned[k : k + _RUN] for k in range(0, len(self._learned), _RUN)]
        return DataLoader(
            _DescribedRuns(self._projection, runs),  # type: ignore[arg-type]
            batch_size=None,
            num_workers=int(count),
            multiprocessing_context=how[0] if how else None,
            persistent_workers=bool(how),
        )

    def _of_the_workers(self) -> dict[str, float]:
        begin = time.perf_counter()
        found = np.vstack(list(self._new_loader()))
        seconds = time.perf_counter() - begin
        expected = self._projection.describe(self._learned).values
        return {"first_epoch_s": seconds, "workers_difference": float(np.abs(found - expected).max())}

    def _of_the_cache(self, folder: Path) -> dict[str, float]:
        expected = self._projection.describe(self._learned).values
        describe_cached(self._projection, self._learned, folder)
        found = describe_cached(self._projection, self._learned, folder).values

        return {
            "hit_speedup": _hit_speedup(self._projection, self._learned, folder),
            "hit_speedup_dense": _hit_speedup(
                self._projection, list(generated()["n96_z2"].generate()), folder
            ),
            "hit_difference": float(np.abs(found - expected).max()),
            "changes_that_hit": float(sum(self._hits(change, folder) for change in _CHANGES)),
            "damages_unseen": float(sum(self._unseen(folder / str(part), part) for part in range(5))),
        }

    def _hits(self, change: dict[str, Any], folder: Path) -> bool:
        """Return True if other hyperparameters find an entry."""
        before = len(list(folder.glob("*.npz")))
        describe_cached(projection_for(replace(self._hypers, **change)), self._learned, folder)
        return len(list(folder.glob("*.npz"))) == before

    def _unseen(self, folder: Path, part: int) -> bool:
        """Return True if an entry of which one byte is another gives other features."""
        expected = describe_cached(self._projection, self._learned, folder).values
        entry = next(folder.glob("*.npz"))
        content = bytearray(entry.read_bytes())
        content[(2 * part + 1) * len(content) // 10] ^= 1
        entry.write_bytes(content)
        return not np.array_equal(describe_cached(self._projection, self._learned, folder).values, expected)


def _hit_speedup(projection: EllipsoidalDensityProjection, frames: list[Atoms], folder: Path) -> float:
    describe_cached(projection, frames, folder)
    computing, reading = _seconds_of(
        lambda: projection.describe(frames), lambda: describe_cached(projection, frames, folder)
    )
    return computing / reading


def _seconds_of(*calls: Callable[[], Any]) -> list[float]:
    """Return the shortest of five alternating times of each."""
    found: list[list[float]] = [[] for _ in calls]
    for _ in range(5):
        for call, times in zip(calls, found, strict=True):
            begin = time.perf_counter()
            call()
            times.append(time.perf_counter() - begin)
    return [min(times) for times in found]


@dataclass(frozen=True)
class _ClosedForm:
    """Fit a linear model to energies, and to forces and torques of a part of the particles."""

    fraction: float
    projection: EllipsoidalDensityProjection

    def fit(self, frames: list[Atoms], fraction: float) -> RidgeModel:
        """Return the model of the frames to learn from."""
        learned = _parted(frames)[0]
        return RidgeModel.fit(
            self.projection, learned, **labels_of(learned), alpha=_ALPHA, force_fraction=fraction
        )

    def learn(self, frames: list[Atoms], clock: Timer) -> np.ndarray:
        """Return the weights."""
        with clock.stage("fit"):
            return self.fit(frames, self.fraction).weights

    def results(self, frames: list[Atoms]) -> dict[str, float]:
        """Return held-out errors, and what they and the derivatives are beside those of all particles."""
        learned, apart = _parted(frames)
        errors = errors_of(self.fit(frames, self.fraction), apart)
        if self.fraction == 1:
            return errors

        whole = errors_of(self.fit(frames, 1.0), apart)
        arrays = self.projection.gather(learned)  # once, as a fit does
        chosen = self._chosen(learned)
        some, every = _seconds_of(
            lambda: jacobian(self.projection, arrays, chosen), lambda: jacobian(self.projection, arrays)
        )
        ratios = {f"{name}_ratio": errors[name] / whole[name] for name in ("energy_error", "force_error")}
        return {**errors, **ratios, "jacobian_share": some / every}

    def _chosen(self, frames: list[Atoms]) -> list[list[int]]:
        """Return the places of the particles whose forces are learned, frame by frame."""
        arrays = self.projection.gather(frames)
        labels = labels_of(frames)
        every = TrainingLabels.of(arrays, None, labels["forces"], labels["torques"], None)
        there = labelled_particles(FitSettings(force_fraction=self.fraction).wanted(every, arrays))
        return [np.flatnonzero(there[begin:end]).tolist() for begin, end in pairwise(arrays.start)]
