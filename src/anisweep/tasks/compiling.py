"""Compute energies and forces in Torch as it is, compiled and exported, beside the C kernels.

The energy is linear in the power spectrum. Compilers start without a cache. With forces, all modes give
torques and derivatives by strain too.
"""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from math import comb
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
from ase import Atoms

from anisweep.cell import Hypers
from anisweep.models import RidgeModel
from anisweep.models.projections import hyperparameters_of, projection_of
from anisweep.modes import Timer, Unavailable
from anisweep.tasks import _cold_start
from anisweep.tasks._linear_energy import linear_energy
from anisweep.worker.clock import Silent

MODES = {
    "eager": "energies in Torch, step by step",
    "compiled": "energies by torch.compile, for any sizes",
    "compiled_reduce_overhead": "energies by torch.compile, which shall reduce what calls cost",
    "c_kernels": "energies by the C kernels",
    "eager_forces": "energies and forces in Torch, step by step",
    "compiled_forces": "energies by torch.compile, for any sizes, and forces",
    "exported_forces": "energies and forces by models.export, compiled ahead of time",
    "c_kernels_forces": "energies and forces by the C kernels",
}
PRECISIONS = ("fp64", "fp32")
DEVICES = ("cpu",)
SAME_RESULT = False
RESULTS = {
    "compile_s": "seconds until the first result: tracing and compiling",
    "recompiles": "compilations again over three sizes",
    "error": "against the C kernels in fp64, largest |difference| / max |value| over all that is computed",
    "strided_error": "the same for positions that are a view of a larger array, through the loader",
    "strided_error_unguarded": "the same without the loader, which makes inputs contiguous",
    "cold_start_s": "seconds of a fresh process until the first energies and forces",
    "cold_start_share": "cold start over compiling",
    "multiply_adds": "multiply-adds of the contraction in Torch, a pair",
    "dense_multiply_adds": "multiply-adds of the published package's dense contraction, a pair",
    "monomial_multiply_adds": "the same without what is no monomial of a function's degree",
}
RESULTS_S = 10.0

#: For modes with forces: energies, forces, torques; else energies alone.
_Found = tuple[np.ndarray, ...]


@dataclass(frozen=True)
class _CompiledCalculator:
    """Hold a way to compute, and how long it took to make it.

    Attributes
    ----------
    compute : of frames, on a clock
    in_torch : a `TorchModel`, where Torch computes
    exported : an `ExportedModel` and its file
    """

    mode: str
    hypers: Hypers
    model: RidgeModel
    compute: Callable[[list[Atoms], Timer], _Found]
    compile_s: float | None = None
    in_torch: Any = None
    exported: Any = None


def prepare(
    mode: str, hypers: Hypers, precision: str, device: str, frames: list[Atoms]
) -> _CompiledCalculator:
    """Return what computes the energy, compiled where the mode says so."""
    model = linear_energy(hypers, frames)
    if mode.startswith("c_"):
        hyperparameters = {**hyperparameters_of(model.projection), "precision": precision}
        rounded = replace(model, projection=projection_of(hyperparameters, model.projection.threads))
        return _CompiledCalculator(mode, hypers, model, _kernels(rounded, mode))

    if (
        mode.startswith(("compiled", "exported"))
        and shutil.which("g++") is None
        and shutil.which("clang++") is None
    ):
        raise Unavailable(
            "Torch needs a C++ compiler to compile for CPUs, and there is no g++ and no clang++"
        )
    return _in_torch(_CompiledCalculator(mode, hypers, model, _kernels(model, mode)), precision, frames)


def compute(calculator: _CompiledCalculator, frames: list[Atoms], clock: Timer) -> np.ndarray:
    """Return the energies (frames, 1); forces are computed with them where the mode says so."""
    return calculator.compute(frames, clock)[0][:, None]


def results(calculator: _CompiledCalculator, frames: list[Atoms]) -> dict[str, float]:
    """Return what compiling takes, and whether it computes the same."""
    found: dict[str, float] = {"error": _error(calculator, calculator.compute(frames, Silent()), frames)}
    if calculator.compile_s is not None:
        found["compile_s"] = calculator.compile_s
    if calculator.mode.startswith("compiled"):
        found["recompiles"] = _recompiles(calculator, frames)
    if calculator.mode == "exported_forces":
        found |= _strided(calculator, frames)
    if calculator.mode.endswith("forces") and not calculator.mode.startswith("compiled"):
        found["cold_start_s"] = _cold_start_s(calculator, frames)
    if calculator.mode == "exported_forces":
        found["cold_start_share"] = found["cold_start_s"] / found["compile_s"]
    return found | _multiply_adds(calculator, frames)


def _kernels(model: RidgeModel, mode: str) -> Callable[[list[Atoms], Timer], _Found]:
    def compute(frames: list[Atoms], clock: Timer) -> _Found:
        with clock.stage("kernels"):
            if not mode.endswith("forces"):
                return (model.energies(frames),)
            energies, found = model.compute(frames)
            return energies, found.forces, found.torques

    return compute


def _in_torch(calculator: _CompiledCalculator, precision: str, frames: list[Atoms]) -> _CompiledCalculator:
    """Return the calculator with what Torch computes by; what is compiled has computed the frames once."""
    from anisweep.models.in_torch import TorchModel

    mode, in_torch = calculator.mode, TorchModel.of(calculator.model, precision=precision, memory=2**62)
    if "eager" in mode:
        return replace(calculator, compute=_by_function(in_torch, mode), in_torch=in_torch)

    _forget_compiled()
    started = time.perf_counter()
    exported = _exported(calculator.model, precision) if mode.startswith("exported") else None
    way = _by_export(exported[0]) if exported else _by_function(in_torch, mode)

    way(frames, Silent())
    compile_s = time.perf_counter() - started
    return replace(calculator, compute=way, compile_s=compile_s, in_torch=in_torch, exported=exported)


def _forget_compiled() -> None:
    """Let Torch compile anew, and count from zero."""
    import torch._dynamo
    import torch._inductor.config

    torch._dynamo.reset()
    torch._dynamo.utils.counters.clear()
    torch._inductor.config.force_disable_caches = True


def _by_function(in_torch: Any, mode: str) -> Callable[[list[Atoms], Timer], _Found]:
    """Return a function that computes step by step, or by `torch.compile`."""
    import torch

    from anisweep.models.exporting import batch_from, flat
    from anisweep.models.in_torch import derivatives_of

    def energies(*tensors: Any) -> Any:
        return in_torch.energies(*batch_from(in_torch.species, tensors))

    if mode.startswith("compiled"):
        how = {"mode": "reduce-overhead"} if mode.endswith("overhead") else {"dynamic": True}
        energies = torch.compile(energies, **how)

    def compute(frames: list[Atoms], clock: Timer) -> _Found:
        with clock.stage("neighbours"):
            batch, kinds = in_torch.batch(frames)
        with clock.stage("energies"), torch.set_grad_enabled(mode.endswith("forces")):
            if torch.is_grad_enabled():
                *found, _ = derivatives_of(lambda *parts: energies(*flat(*parts)), batch, kinds)
            else:
                found = [energies(*flat(batch, kinds))]
            return tuple(part.numpy() for part in found)

    return compute


def _exported(model: RidgeModel, precision: str) -> tuple[Any, TemporaryDirectory[str]]:
    """Return a model that was exported and loaded, and the folder of its file, which lives as long."""
    from anisweep.models.exporting import export, load_exported

    folder = TemporaryDirectory()
    file = Path(folder.name, "model.pt2")
    export(model, file, device="cpu", precision=precision)
    return load_exported(file), folder


def _by_export(exported: Any) -> Callable[[list[Atoms], Timer], _Found]:
    def compute(frames: list[Atoms], clock: Timer) -> _Found:
        with clock.stage("exported"):
            energies, found = exported.compute(frames)
            return energies, found.forces, found.torques

    return compute


def _error(calculator: _CompiledCalculator, found: Any, frames: list[Atoms]) -> float:
    """Return the largest error of energies, forces and torques, each over its largest value."""
    energies, right = calculator.model.compute(frames)
    expected = (energies, right.forces, right.torques)
    return max(float(np.abs(a - b).max() / np.abs(b).max()) for a, b in zip(found, expected, strict=False))


def _recompiles(calculator: _CompiledCalculator, frames: list[Atoms]) -> int:
    """Return how often Torch compiled again, for half and twice as many frames."""
    from torch._dynamo.utils import counters

    for some in (frames[: max(1, len(frames) // 2)], frames * 2):
        calculator.compute(some, Silent())
    return int(counters["stats"]["unique_graphs"]) - 1


def _strided(calculator: _CompiledCalculator, frames: list[Atoms]) -> dict[str, float]:
    """Return the errors for positions that are every second row of others."""
    import torch

    from anisweep.models.exporting import flat

    batch, kinds = calculator.in_torch.batch(frames)
    positions = torch.cat([batch.positions, batch.positions + 1], dim=1)[:, :3]
    guarded = flat(replace(batch, positions=positions), kinds)
    package = calculator.exported[0].package
    tensors = {"strided_error": guarded, "strided_error_unguarded": (positions, *guarded[1:])}

    return {
        name: _error(calculator, [part.numpy() for part in package(*these)[:3]], frames)
        for name, these in tensors.items()
    }


def _cold_start_s(calculator: _CompiledCalculator, frames: list[Atoms]) -> float:
    how = calculator.mode.removesuffix("_forces")
    if calculator.exported is not None:
        return _cold_start.seconds(how, Path(calculator.exported[1].name, "model.pt2"), frames)

    with TemporaryDirectory() as folder:
        file = Path(folder, "model.json")
        calculator.model.save(file)
        return _cold_start.seconds(how, file, frames)


def _multiply_adds(calculator: _CompiledCalculator, frames: list[Atoms]) -> dict[str, float]:
    """Return how much the contractions of a pair cost, of the package and in Torch."""
    dense, monomials = 0, 0
    for l, count in enumerate(calculator.hypers.radial_counts):
        dense += (2 * l + 1) * count * (l + 2 * count - 1) ** 3
        monomials += (2 * l + 1) * sum(comb(l + 2 * n + 2, 2) for n in range(count))
    found = {"dense_multiply_adds": float(dense), "monomial_multiply_adds": float(monomials)}
    if calculator.in_torch is None:
        return found

    batch, _ = calculator.in_torch.batch(frames)
    groups, pairs = len(batch.neighbours.groups.row), len(batch.neighbours.centre)
    matrices = calculator.in_torch.projection.torch_tables.matrices
    each = sum(2 * len(matrix) for matrix in matrices)  # a product of three numbers is two multiplications
    return found | {"multiply_adds": each + sum(matrix.numel() for matrix in matrices) * groups / pairs}
