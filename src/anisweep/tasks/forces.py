"""Compute energies with forces and torques: what they cost, in batches too, and whether they are right.

The energy is linear in the power spectrum. Batches hold the same frames, so many at a time. Frames are moved
before every call, but for the mode that shows what a cached result looks like.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any
from unittest.mock import patch

import numpy as np
from ase import Atoms

from anisweep.cell import Hypers
from anisweep.dynamics import RigidBodies, solid_ellipsoid
from anisweep.models import AniSOAPCalculator, RidgeModel
from anisweep.modes import Timer
from anisweep.tasks._linear_energy import linear_energy
from anisweep.worker import host
from anisweep.worker.clock import Silent

if TYPE_CHECKING:
    from anisweep.models.in_torch import TorchModel

MODES = {
    "c_kernels": "the C kernels, all frames in one batch",
    "c_energy": "the C kernels, all frames in one batch, energies alone",
    "c_batch_1": "the C kernels, frame by frame",
    "c_batch_2": "the C kernels, two frames in a batch",
    "c_batch_4": "the C kernels, four frames in a batch",
    "c_batch_16": "the C kernels, 16 frames in a batch",
    "torch_operator": "Torch, with the C kernels as an operator that has derivatives",
    "torch_analytic": "Torch, its steps differentiated analytically",
    "torch_tape": "Torch, its steps recorded and differentiated by autograd",
    "torch_energy": "Torch, energies alone",
    "ase": "calculators of ASE, one for each frame",
    "ase_cached": "calculators of ASE that are asked again for what they computed last",
}
PRECISIONS = ("fp64",)
DEVICES = ("cpu",)
SAME_RESULT = True
RESULTS = {
    "difference_error": "forces and torques against differences of fourth order, |error| / max |force|",
    "absolute_error": "forces against the same, at 1 eV/Å as a root mean square (eV/Å)",
    "force_sum": "largest |sum of the forces of a frame| / max |force|",
    "batch_error": "all frames in one batch against one by one, largest |difference| / max |value|",
    "steps_per_s": "steps of dynamics a second, those of all systems together (1/s)",
    "drift": "largest change of the total energy over 50 fs from rest, step 1 fs (eV a particle)",
    "memory_share": "growth of memory within limits of 16 and 64 MiB, the larger share of its limit",
}
RESULTS_S = 10.0

_Forces = tuple[np.ndarray, np.ndarray, np.ndarray]

#: Of differences: in Angstrom and radian, and how many particles of one frame are moved. The second
#: derivative jumps where neighbours begin to fade, so wide ones would be wrong for some pair.
_WIDTH = 1e-4
_MOVED = 4

#: Of dynamics: a benzene in u, a step in fs, steps to be timed, and steps whose energies are compared.
_MASS = 78.11
_STEP = 1.0
_TIMED = 20
_FOLLOWED = 50

#: In bytes; those of a particle are fewer than it takes, so that no limit has room for all particles.
_LIMITS = (2**24, 2**26)
_OF_A_PARTICLE = 1200


@dataclass(frozen=True)
class _ForceCalculator:
    """Hold the energy, and what the mode needs to compute it.

    Attributes
    ----------
    several : frames in a batch
    kept : frames that are asked for again
    """

    mode: str
    model: RidgeModel
    in_torch: TorchModel | None
    several: int
    calculators: list[AniSOAPCalculator]
    kept: list[Atoms]

    def forces(self, frames: list[Atoms], clock: Timer) -> _Forces:
        """Return energies (frames,), forces and torques (particles, 3)."""
        if self.in_torch is not None:
            return _torch_forces(self.in_torch, frames, clock, self.mode)
        if self.calculators:
            return _ase_forces(self.calculators, self.kept or frames, clock)
        return _kernel_forces(self.model, frames, clock, self.several)


def prepare(mode: str, hypers: Hypers, precision: str, device: str, frames: list[Atoms]) -> _ForceCalculator:
    """Return what computes the energy, always the same for the same frames and hyperparameters."""
    model = linear_energy(hypers, frames)
    several = int(mode.rpartition("_")[2]) if mode.startswith("c_batch") else len(frames)
    kept = [frame.copy() for frame in frames] if mode == "ase_cached" else []

    calculators = [AniSOAPCalculator(model) for _ in frames] if mode.startswith("ase") else []
    in_torch = _in_torch(model) if mode.startswith("torch") else None
    return _ForceCalculator(mode, model, in_torch, several, calculators, kept)


def compute(calculator: _ForceCalculator, frames: list[Atoms], clock: Timer) -> np.ndarray:
    """Return the energies (frames, 1); forces and torques are computed with them, and judged in `results`."""
    if calculator.mode == "c_energy":
        with clock.stage("kernels"):
            energies = calculator.model.energies(frames)
    elif calculator.mode == "torch_energy":
        energies = _torch_energies(calculator.in_torch, frames, clock)
    else:
        energies, _, _ = calculator.forces(frames, clock)
    return energies[:, None]


def results(calculator: _ForceCalculator, frames: list[Atoms]) -> dict[str, float]:
    """Return errors of the forces, and what dynamics and memory make of them."""
    mode = calculator.mode
    if mode.endswith(("_energy", "_cached")):
        return {}

    found = _errors(calculator, frames)
    if mode.startswith("c_"):
        found |= _dynamics(calculator.model, frames, calculator.several)
    if mode == "c_kernels":
        found["memory_share"] = max(_share(calculator.model, frames, limit) for limit in _LIMITS)
    return found


def _kernel_forces(model: RidgeModel, frames: list[Atoms], clock: Timer, several: int) -> _Forces:
    parts = []
    for begin in range(0, len(frames), several):
        with clock.stage("reading"):
            arrays = model.projection.gather(frames[begin : begin + several])
        with clock.stage("kernels"):
            energies, found = model.compute(arrays)
            parts.append((energies, found.forces, found.torques))
    return _joined(parts)


def _in_torch(model: RidgeModel) -> TorchModel:
    from anisweep.models.in_torch import TorchModel

    return TorchModel.of(model)


def _torch_energies(energy: Any, frames: list[Atoms], clock: Timer) -> np.ndarray:
    import torch

    with clock.stage("neighbours"):
        batch, kinds = energy.batch(frames)
    with clock.stage("energies"), torch.no_grad():
        energies: np.ndarray = energy.energies(batch, kinds).numpy()
        return energies


def _torch_forces(energy: TorchModel, frames: list[Atoms], clock: Timer, mode: str) -> _Forces:
    with clock.stage("neighbours"):
        batch, kinds = energy.batch(frames)
    if mode != "torch_operator":
        batch = replace(batch, read=None)  # without the arrays that the kernels need

    with clock.stage("energies and derivatives"), _recorded() if mode == "torch_tape" else nullcontext():
        energies, forces, torques, _ = (part.numpy() for part in energy.derivatives(batch, kinds))
    return energies, forces, torques


def _recorded() -> AbstractContextManager[Any]:
    """Let autograd record the steps of the expansion, which are one operator otherwise."""
    from anisweep.descriptors.torch_backend import expansion, projection

    def expand(*arguments: Any) -> Any:
        *pairs, groups, tables, contract, _ = arguments
        flat = expansion._flat_groups(groups), expansion._flat_tables(tables)
        return expansion._expand(*pairs, *flat, tables.counts, tables.degree, contract, False)

    return patch.object(projection, "expand", expand)


def _ase_forces(calculators: list[AniSOAPCalculator], frames: list[Atoms], clock: Timer) -> _Forces:
    with clock.stage("calculators"):
        return _joined(
            [
                tuple(calculator.get_property(name, frame) for name in ("energy", "forces", "torques"))
                for calculator, frame in zip(calculators, frames, strict=True)
            ]
        )


def _joined(parts: list[Any]) -> _Forces:
    energies, forces, torques = zip(*parts, strict=True)
    return np.hstack(energies), np.concatenate(forces), np.concatenate(torques)


def _errors(calculator: _ForceCalculator, frames: list[Atoms]) -> dict[str, float]:
    """Return how far forces and torques are from differences, sums of zero, and those one by one."""
    together = calculator.forces(frames, Silent())
    _, forces, torques = together
    largest = float(np.abs(forces).max()) or 1.0

    start = np.cumsum([0, *map(len, frames)])
    sums = np.add.reduceat(forces, start[:-1], axis=0)

    chosen = int(np.argmax([len(frame) > 1 for frame in frames]))
    found = [values[start[chosen] :][: min(_MOVED, len(frames[chosen]))] for values in (forces, torques)]
    wrong = np.abs(np.stack(found, axis=1) + _differences(calculator.model, frames[chosen])).max(axis=(0, 2))

    apart = {"force_sum": float(np.abs(sums).max()) / largest}
    if not calculator.calculators:  # which are one for each frame
        alone = _joined([calculator.forces([frame], Silent()) for frame in frames])
        apart["batch_error"] = max(
            float(np.abs(a - b).max() / np.abs(b).max()) for a, b in zip(together, alone, strict=True)
        )
    return apart | {"difference_error": float(wrong.max()) / largest, "absolute_error": float(wrong[0])}


def _differences(model: RidgeModel, frame: Atoms) -> np.ndarray:
    """Return the energy's derivatives by the first particles' moves and turns, (particles, 2, 3)."""
    count = min(_MOVED, len(frame))
    changed = [
        change(frame, particle, axis, width * _WIDTH)
        for particle in range(count)
        for change in (_moved, _turned)
        for axis in range(3)
        for width in (-2, -1, 1, 2)
    ]
    energies = model.energies(changed).reshape(count, 2, 3, 4)
    slopes: np.ndarray = energies @ np.array([1, -8, 8, -1]) / (12 * _WIDTH)
    return slopes


def _moved(frame: Atoms, particle: int, axis: int, distance: float) -> Atoms:
    moved = frame.copy()
    moved.positions[particle, axis] += distance
    return moved


def _turned(frame: Atoms, particle: int, axis: int, angle: float) -> Atoms:
    """Return the frame with one particle turned about an axis of the lab frame."""
    turned = frame.copy()
    scalar, vector = turned.arrays["c_q"][particle, 0], turned.arrays["c_q"][particle, 1:].copy()
    cosine, sine = np.cos(angle / 2), np.sin(angle / 2) * np.eye(3)[axis]

    turned.arrays["c_q"][particle, 0] = cosine * scalar - sine @ vector
    turned.arrays["c_q"][particle, 1:] = cosine * vector + scalar * sine + np.cross(sine, vector)
    return turned


def _dynamics(model: RidgeModel, frames: list[Atoms], several: int) -> dict[str, float]:
    """Move all frames, so many at a time; times are the median of three runs."""
    systems = list(_systems(model, frames, several))
    walls = []
    for _ in range(3):
        started = time.perf_counter()
        for bodies in systems:
            bodies.run(_TIMED, _STEP)
        walls.append(time.perf_counter() - started)

    drift = max(map(_drift, _systems(model, frames, several)))
    return {"steps_per_s": len(frames) * _TIMED / statistics.median(walls), "drift": drift}


def _systems(model: RidgeModel, frames: list[Atoms], several: int) -> Iterator[RigidBodies]:
    for begin in range(0, len(frames), several):
        some = frames[begin : begin + several]
        moments = solid_ellipsoid(_MASS, model.projection.gather(some).diameters)
        yield RigidBodies(model, some, masses=_MASS, inertia=moments)


def _drift(bodies: RigidBodies) -> float:
    counts = np.array([len(frame) for frame in bodies.frames()])
    before, largest = bodies.energies + bodies.kinetic_energies, 0.0

    for _ in range(_FOLLOWED):
        bodies.run(1, _STEP)
        change = np.abs(bodies.energies + bodies.kinetic_energies - before) / counts
        largest = max(largest, float(change.max()))
    return largest


def _share(model: RidgeModel, frames: list[Atoms], limit: int) -> float:
    """Return by how much memory grows while a calculator works through many frames, as a share of a limit."""
    repeats = 1 + limit // _OF_A_PARTICLE // sum(map(len, frames))
    before = host.reset_peak_memory()
    AniSOAPCalculator(model).calculate_batch(frames * repeats, ["energy"], memory=limit)
    return float("nan") if before is None else (host.peak_memory_mb() - before) * 2**20 / limit
