"""Train neural models in Torch, on energies, forces, torques and stresses."""

from __future__ import annotations

import hashlib
import io
import os
import time
import warnings
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, fields, replace
from importlib.metadata import version
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from anisweep.descriptors.arrays import FrameArrays
from anisweep.descriptors.errors import BadInput
from anisweep.descriptors.kernels import loader
from anisweep.descriptors.projection import EllipsoidalDensityProjection
from anisweep.descriptors.torch_backend import Batch, TorchProjection
from anisweep.files import whole
from anisweep.models.labels import TrainingLabels
from anisweep.models.neural import Network, NeuralModel
from anisweep.models.projections import hyperparameters_of
from anisweep.models.ridge import RidgeModel
from anisweep.models.rows import FitRows
from anisweep.models.settings import TrainingSettings

#: Eigenvalues of the features' correlations, over the largest: below the first a direction is a repetition,
#: and below the second it is stretched no further.
REPEATED, FAINT = 1e-12, 1e-6

#: Seconds between checkpoints.
OFTEN = 1.0

#: Labels of particles; the others are of frames.
VECTORS = ("forces", "torques")


@dataclass(frozen=True)
class Trained:
    """Hold a trained model, and how the training went.

    Attributes
    ----------
    model : NeuralModel
        That of the best epoch.
    errors : ndarray, shape (epochs, 2)
        Root mean square of the weighted errors, of frames that were learned from and of the others; each
        label of size one.
    seconds : dict of str to float
        What each stage took, of this run alone.
    """

    model: NeuralModel
    errors: np.ndarray
    seconds: dict[str, float]


def train(
    projection: EllipsoidalDensityProjection,
    frames: Any,
    energies: Any = None,
    *,
    forces: Any = None,
    torques: Any = None,
    stresses: Any = None,
    settings: TrainingSettings | None = None,
    checkpoint: str | os.PathLike[str] | None = None,
    progress: Callable[[str], None] | None = None,
) -> Trained:
    """Train a network for each species on what a linear model leaves; needs Torch.

    Labels, weights and units are those of `RidgeModel.fit`.

    Parameters
    ----------
    projection : EllipsoidalDensityProjection
        Keeps isolated centres.
    frames : list of Atoms, or FrameArrays
        What to learn from, at least two.
    energies, forces, torques, stresses : optional
        Labels, as for `RidgeModel.fit`.
    settings : TrainingSettings, optional
        How to train.
    checkpoint : str or Path, optional
        File that is written once a second. The same call after an interruption goes on from there, and gives
        the same bits with as many threads.
    progress : callable, optional
        Is called with a line after each epoch, with the time that is left.

    Returns
    -------
    Trained
        The model, the errors of each epoch, and the time of each stage.

    Raises
    ------
    BadInput
        For frames and labels, as `RidgeModel.fit`; for a single frame; for a checkpoint that is not whole or
        that belongs to another training.
    """
    settings = settings or TrainingSettings()
    clock = StageClock()

    with clock.stage("frames and labels"):
        settings.fit.require_all_centres(projection)
        arrays = projection.gather(frames)
        labels = TrainingLabels.of(arrays, energies, forces, torques, stresses)
        split = _split(len(arrays.counts), settings)

    with clock.stage("linear model"):
        learned = settings.fit.wanted(_without(labels, arrays, split[1]), arrays)
        learned.require_any()
        rows = FitRows(projection, arrays, arrays.species, learned, settings.fit.features)
        equations = rows.equations()
        linear = RidgeModel.solving(equations, projection, arrays.species, settings.fit)

    with clock.stage("standard features"):
        model = _standardised(linear, arrays.chosen(split[0]), settings)

    with clock.stage("neighbours"):
        scales = equations.scales(settings.fit.weights)
        apart = settings.fit.wanted(_without(labels, arrays, split[0]), arrays)
        _check_apart(apart, scales)
        in_torch = torch_projection(projection, settings)
        parts = [
            [labelled_batch(in_torch, arrays, some, of, scales) for some in _runs_of(part, settings.batch)]
            for part, of in zip(split, (learned, apart), strict=True)
        ]

    with clock.stage("optimiser"):
        loop = Loop(model, in_torch, scales, settings, clock)
        made_by = (version("anisweep"), torch.__version__, loader.SOURCE, loader.level())
        digest = _digest(arrays, labels, repr((settings, hyperparameters_of(projection), made_by)))
    errors = loop.run(parts, None if checkpoint is None else Path(checkpoint), digest, progress)
    return Trained(loop.best_model(), np.array(errors), dict(clock.seconds))


@dataclass(frozen=True)
class StageClock:
    """Hold how long each stage took, in seconds."""

    seconds: defaultdict[str, float] = field(default_factory=lambda: defaultdict(float))

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """Add the time of the block."""
        begin = time.perf_counter()
        yield
        self.seconds[name] += time.perf_counter() - begin


@dataclass(frozen=True)
class LabelledBatch:
    """Hold some frames and their labels as tensors; ``kinds`` are the places of the particles' species."""

    batch: Batch
    kinds: Tensor
    labels: dict[str, Tensor]
    volumes: Tensor
    rows: int


class Loop:
    """Train the networks of a model, epoch by epoch."""

    def __init__(
        self,
        model: NeuralModel,
        projection: TorchProjection,
        scales: dict[str, float],
        settings: TrainingSettings,
        clock: StageClock,
    ) -> None:
        self.model, self.projection, self.scales = model, projection, scales
        self.settings, self.clock = settings, clock
        self.layers = [[tuple(map(self._tensor, layer)) for layer in each.layers] for each in model.networks]
        self.parameters = [
            part.requires_grad_() for layers in self.layers for pair in layers for part in pair
        ]
        self.optimiser = torch.optim.Adam(self.parameters, settings.learning_rate)
        self.best = [part.detach().clone() for part in self.parameters]
        linear = model.linear
        self.constants = [
            self._tensor(np.asarray(each))
            for each in (linear.weights, linear.intercepts, model.mean, model.whitening.T)
        ]

    def run(
        self, parts: list[list[LabelledBatch]], checkpoint: Path | None, digest: str, progress: Any
    ) -> list[list[float]]:
        """Return the errors of all epochs; those that a checkpoint holds are not computed again."""
        errors = self._restored(checkpoint, digest)
        done, begin, written = len(errors), time.perf_counter(), time.perf_counter()

        for epoch in range(done, self.settings.epochs):
            order = np.random.default_rng([self.settings.fit.seed, epoch]).permutation(len(parts[0]))
            squares = [self._step(parts[0][i]) for i in order]
            with self.clock.stage("validation"):
                others = [float(self._squares(item, False).detach()) for item in parts[1]]
            errors.append([_root(squares, parts[0]), _root(others, parts[1])])
            if not np.isfinite(errors[-1]).all():
                raise BadInput(f"epoch {epoch + 1}: the training diverged: take a smaller learning_rate")

            with self.clock.stage("checkpoint"):
                if errors[-1][1] <= np.nanmin([error for _, error in errors]):
                    self.best = [part.detach().clone() for part in self.parameters]
                last = epoch + 1 == self.settings.epochs
                if checkpoint is not None and (last or time.perf_counter() > written + OFTEN):
                    self._keep(checkpoint, digest, errors)
                    written = time.perf_counter()

            if progress is not None:
                epochs = self.settings.epochs
                left = (time.perf_counter() - begin) / (epoch + 1 - done) * (epochs - epoch - 1)
                learned, other = errors[-1]
                progress(
                    f"epoch {epoch + 1} of {epochs}: errors {learned:.4g}, {other:.4g}; {left:.0f} s left"
                )
        return errors

    def best_model(self) -> NeuralModel:
        """Return the model of the best epoch."""
        numbers = iter([part.cpu().numpy().astype(float) for part in self.best])
        networks = [Network(tuple((next(numbers), next(numbers)) for _ in each)) for each in self.layers]
        return replace(self.model, networks=tuple(networks))

    def _step(self, item: LabelledBatch) -> float:
        with self.clock.stage("forward"):
            squares = self._squares(item, True)
        with self.clock.stage("backward"):
            self.optimiser.zero_grad()
            (squares / item.rows).backward(inputs=self.parameters)
        with self.clock.stage("optimiser"):
            self.optimiser.step()
        return float(squares.detach())

    def _squares(self, item: LabelledBatch, recorded: bool) -> Tensor:
        """Return the sum of the weighted squares of the errors of some frames."""
        batch, labels, near = item.batch, item.labels, item.batch.neighbours
        x, q = (part.detach().requires_grad_() for part in (batch.positions, batch.orientations))
        strain = torch.zeros_like(batch.cells).requires_grad_("stresses" in self.scales)
        strained = x + torch.einsum("ik,ikl->il", x, strain[near.frame])
        moved = replace(batch, positions=strained, cells=batch.cells + batch.cells @ strain, orientations=q)

        none = torch.zeros_like(batch.cells[:, 0, 0])
        energies = none.index_add(0, near.frame, self._of_centres(moved, item))
        leaves = [x, q, strain] if strain.requires_grad else [x, q]
        by_x, by_q, *by_strain = torch.autograd.grad(energies.sum(), leaves, create_graph=recorded)

        found = {"energies": energies, "forces": -by_x, "torques": torques_of(q, by_q)}
        if by_strain:
            found["stresses"] = (by_strain[0] + by_strain[0].mT) / 2 / item.volumes[:, None, None]

        squares = energies.new_zeros(())
        for kind, scale in self.scales.items():
            counts = near.counts.clamp(min=1) if kind == "energies" else 1
            there = ~labels[kind].isnan()  # chosen before it is squared, so that NaN derives to nothing
            squares = squares + (scale * ((found[kind] - labels[kind]) / counts)[there]).square().sum()
        return squares

    def _of_centres(self, batch: Batch, item: LabelledBatch) -> Tensor:
        """Return the energy of each centre, in float64."""
        weights, intercepts, mean, whitening = self.constants
        make = getattr(self.projection, f"{self.model.linear.features}_of")
        features = make(batch, per_centre=True)
        inputs = (features - mean) @ whitening
        energies = features @ weights + intercepts[item.kinds]

        for place, layers in enumerate(self.layers):
            here = torch.nonzero(item.kinds == place)[:, 0]
            energies = energies.index_add(0, here, self.model.scale * outputs_of(layers, inputs[here]))
        return energies.double()

    def _tensor(self, numbers: np.ndarray) -> Tensor:
        return torch.tensor(numbers, dtype=self.projection.dtype, device=self.projection.device)

    def _keep(self, path: Path, digest: str, errors: list[list[float]]) -> None:
        stream = io.BytesIO()
        state = {"parameters": [part.detach() for part in self.parameters], "best": self.best}
        torch.save({"of": digest, "errors": errors, "adam": self.optimiser.state_dict(), **state}, stream)
        with whole(path) as file:
            file.write(stream.getvalue())

    def _restored(self, path: Path | None, digest: str) -> list[list[float]]:
        """Take up the state of a checkpoint, if there is one; return its errors."""
        if path is None or not path.exists():
            return []
        try:
            state = torch.load(path, map_location=self.projection.device, weights_only=True)
            of = state["of"]
        except Exception:  # Torch raises what it likes
            raise BadInput(f"{path}: it is no checkpoint, or not whole: remove it to begin again") from None
        if of != digest:
            raise BadInput(
                f"{path}: it is of a training with other frames, labels or settings: give these, or another "
                "file, or remove it to begin again"
            )

        with torch.no_grad():
            for part, value in zip(self.parameters, state["parameters"], strict=True):
                part.copy_(value)
        self.optimiser.load_state_dict(state["adam"])
        self.best = state["best"]
        return list(state["errors"])


def outputs_of(layers: Any, inputs: Tensor) -> Tensor:
    """Return the output of a network for each row of the inputs."""
    for weights, biases in layers[:-1]:
        inputs = torch.nn.functional.silu(inputs @ weights.T + biases)
    weights, biases = layers[-1]
    return (inputs @ weights.T + biases)[:, 0]


def torques_of(orientations: Tensor, slopes: Tensor) -> Tensor:
    """Return minus the derivatives by turns in the lab frame, from those by quaternions or matrices."""
    if orientations.dim() == 3:
        return torch.linalg.cross(slopes, orientations, dim=1).sum(dim=2)
    s, v, by_v = orientations[:, :1], orientations[:, 1:], slopes[:, 1:]
    return (slopes[:, :1] * v - s * by_v - torch.linalg.cross(v, by_v)) / 2


def _runs_of(frames: np.ndarray, count: int) -> list[np.ndarray]:
    return np.split(frames, range(count, len(frames), count))


def _root(squares: list[float], items: list[LabelledBatch]) -> float:
    return float(np.sqrt(sum(squares) / max(1, sum(item.rows for item in items))))


def _split(frames: int, settings: TrainingSettings) -> list[np.ndarray]:
    """Return the places of the frames to learn from, and of the others."""
    if frames < 2:
        raise BadInput("there is one frame: give at least two, so that one can tell which epoch is the best")
    others = min(max(1, round(settings.validation * frames)), frames - 1)
    mixed = np.random.default_rng(settings.fit.seed).permutation(frames)
    return [mixed[others:], mixed[:others]]


def _without(labels: TrainingLabels, arrays: FrameArrays, frames: np.ndarray) -> TrainingLabels:
    """Return labels that some frames have no part in."""
    left_out = np.isin(np.arange(len(arrays.counts)), frames)
    particles = np.repeat(left_out, arrays.counts)
    taken = {kind: values.copy() for kind, values in vars(labels).items()}
    for kind, values in taken.items():
        values[particles if kind in VECTORS else left_out] = np.nan
    return TrainingLabels(**taken)


def _standardised(linear: RidgeModel, frames: FrameArrays, settings: TrainingSettings) -> NeuralModel:
    """Return a model whose networks are random, and add nearly nothing."""
    values = linear.projection.describe(frames, linear.features, True, linear.species).values
    mean, spread = values.mean(axis=0), values.std(axis=0)
    scaled = (values - mean) / np.where(spread > 0, spread, 1)

    sizes, directions = np.linalg.eigh(scaled.T @ scaled / max(1, len(scaled)))
    kept = sizes > REPEATED * max(float(sizes[-1]), 1e-300)
    stretched = directions[:, kept] / np.sqrt(np.maximum(sizes[kept], FAINT * sizes[-1]))
    whitening = (stretched / np.where(spread > 0, spread, 1)[:, None]).T

    generator = np.random.default_rng([settings.fit.seed, len(frames.counts)])
    networks = [_random(generator, [len(whitening), *settings.hidden, 1]) for _ in linear.species]
    scale = float((values @ linear.weights).std()) or 1.0
    return NeuralModel(linear, mean, whitening, scale, tuple(networks))


def _random(generator: np.random.Generator, sizes: list[int]) -> Network:
    layers = []
    for number, (inputs, outputs) in enumerate(pairwise(sizes)):
        size = (0.1 if number + 2 == len(sizes) else 1.0) / np.sqrt(max(1, inputs))
        layers.append((generator.uniform(-size, size, (outputs, inputs)), np.zeros(outputs)))
    return Network(tuple(layers))


def torch_projection(projection: EllipsoidalDensityProjection, settings: TrainingSettings) -> TorchProjection:
    """Return the projection in Torch, of the device and precision of the settings."""
    more = {"device": settings.device, "precision": settings.rounding}
    return silent_projection(hyperparameters_of(projection), more)


def silent_projection(hyperparameters: dict[str, Any], settings: dict[str, Any]) -> TorchProjection:
    """Return a projection in Torch, without a word on the order of quaternions, which was said before."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "In quaternion mode")
        return TorchProjection(**{**hyperparameters, **settings})


def _check_apart(labels: TrainingLabels, kinds: Iterable[str]) -> None:
    """Refuse frames that are kept apart and have no label by which the best epoch could be told."""
    if not any(np.isfinite(getattr(labels, kind)).any() for kind in kinds):
        raise BadInput(
            "no frame that is kept apart has a label of a kind that is learned, so that no epoch can be the "
            "best: give another seed, more labels, or a larger validation"
        )


def labelled_batch(
    projection: TorchProjection,
    arrays: FrameArrays,
    some: np.ndarray,
    of: TrainingLabels,
    learned: Iterable[str],
) -> LabelledBatch:
    """Return some frames and their labels as tensors; only the kinds that are learned count."""
    batch = projection.batch(arrays.chosen(some), arrays.species.tolist())
    particles = arrays.particles(some)
    taken = {kind: values[particles if kind in VECTORS else some] for kind, values in vars(of).items()}
    rows = sum(int(np.isfinite(taken[kind]).sum()) for kind in learned)
    periodic = arrays.periodic[some].all(axis=1)  # others have no stress, and perhaps no volume
    volumes = np.abs(np.linalg.det(arrays.cells[some]))

    kinds, labels = arrays.places(arrays.species)[particles], {}
    for kind, values in taken.items():
        labels[kind] = torch.tensor(values, device=projection.device)
    return LabelledBatch(
        batch,
        torch.tensor(kinds, device=projection.device),
        labels,
        torch.tensor(np.where(periodic, volumes, 1.0), dtype=batch.cells.dtype, device=projection.device),
        max(1, rows),
    )


def _digest(arrays: FrameArrays, labels: TrainingLabels, settings: str) -> str:
    """Return the SHA-256 of all that a training depends on."""
    digest = hashlib.sha256(f"{settings} {torch.get_default_dtype()}".encode())
    for holder in (arrays, labels):
        for each in fields(holder):
            digest.update(np.ascontiguousarray(getattr(holder, each.name)).tobytes())
    return digest.hexdigest()
