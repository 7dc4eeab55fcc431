"""Time what a GPU does: rates of the machine, then checks, then all ways, the largest sizes last."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from importlib.util import find_spec
from time import perf_counter
from typing import Any

import torch

from anisweep.descriptors.arrays import FrameArrays
from anisweep.descriptors.kernels.pairs import find_pairs
from anisweep.descriptors.torch_backend.moments import multiply
from benchmarks import _gpu_checks
from benchmarks._contenders import CUTOFF, Basis
from benchmarks._gpu_journal import Journal, Timed
from benchmarks._gpu_ways import MOST_PAIRS_OF_TORCH_FULL, TORCH, TORCH_FULL, TRITON, WAYS, Way, system, work
from benchmarks._timing import Spread, take_turns

SIZES = (1, 10, 100, 1_000, 10_000, 100_000, 1_000_000)
BASES: tuple[Basis, ...] = ((6, None), (9, 6))
MOST_PAIRS_CHECKED = 10_000

#: Seconds of a measurement, compilation included, and of each second that a call is expected to take.
FIRST_S, CALLS = 5.0, 4

#: A call for the next size is expected to take so many times as long.
GROWTH = 10

KINDS = {"fp64": torch.float64, "fp32": torch.float32, "tf32": torch.float32, "bf16": torch.bfloat16}


def measure(journal: Journal, device: str, sizes: tuple[int, ...], bases: tuple[Basis, ...]) -> None:
    """Keep everything that there is time for."""
    torch.set_num_threads(1)
    without = missing(journal, device)
    ways = [way for way in (*TORCH, *TRITON) if way not in without]
    measure_rates(journal, device)
    _gpu_checks.check(journal, ways, bases, min(MOST_PAIRS_CHECKED, sizes[-1]), device)

    seconds: dict[Any, float] = {}
    for pairs in sizes:
        arrays = system(pairs)
        for basis in bases:
            for task, several in WAYS.items():
                for way in several:
                    large = way is TORCH_FULL and pairs > MOST_PAIRS_OF_TORCH_FULL
                    if way not in without and not large:
                        series(journal, Case(task, way, basis, arrays, device), seconds)


def missing(journal: Journal, device: str) -> set[Way]:
    """The ways for which something is missing here, which is named once."""
    without: set[Way] = set()
    if device == "cpu":
        without |= {way for way in (*TORCH, *TRITON) if way.precision == "tf32"}
    if find_spec("triton") is None:
        journal.leave_out("Triton's kernels", "Triton is not installed (pip install triton)")
        without |= set(TRITON)
    elif device == "cpu" and "TRITON_INTERPRET" not in os.environ:
        journal.leave_out("Triton's kernels", "on a CPU they run with TRITON_INTERPRET=1 only")
        without |= set(TRITON)

    packages = [name for name in ("ase", "anisoap", "metatensor") if find_spec(name) is None]
    if packages:
        journal.leave_out("torch_full", f"{', '.join(packages)} not installed (pip install '.[reference]')")
        without.add(TORCH_FULL)
    return without


@dataclass(frozen=True)
class Case:
    """One measurement."""

    task: str
    way: Way
    basis: Basis
    arrays: FrameArrays
    device: str

    @property
    def name(self) -> str:
        return f"{self.task}, {self.way.name}, lmax {self.basis[0]}, {len(self.arrays.positions):,} particles"


def series(journal: Journal, case: Case, seconds: dict[Any, float]) -> None:
    """Time a case, where the size before it, whose seconds are kept, leaves time for it."""
    key = (case.task, case.way, case.basis)
    expected = FIRST_S if key not in seconds else 1 + CALLS * GROWTH * seconds[key]
    record = journal.attempt(case.name, lambda: timed(case), expected)
    if record is not None:
        seconds[key] = record.seconds
        print(f"  {case.name}: {1e3 * record.seconds:.3f} ms, the first {record.first_s:.2f} s", flush=True)
        journal.add(record)


def timed(case: Case) -> Timed:
    """Time one case; the GPU has done its work when the clock is read."""
    begin = perf_counter()
    device = case.way.device or case.device
    function, counted = work(case.task, case.way, case.basis, case.arrays, device)
    call = until_done(function, device)
    call()
    first = perf_counter() - begin

    peak = 0 if device == "cpu" else peak_of(call)
    spread = Spread.of(take_turns({"": call})[""])
    arrays, frames = case.arrays, len(case.arrays.counts)
    return Timed(
        task=case.task,
        way=case.way.name,
        lmax=case.basis[0],
        max_radial=case.basis[1],
        frames=frames,
        particles=len(arrays.positions),
        pairs=len(find_pairs(arrays, range(frames), CUTOFF, self_pairs=False).centre),
        first_s=first,
        seconds=spread.median,
        low=spread.low,
        high=spread.high,
        peak_bytes=peak,
        operations=counted.operations,
        bytes=counted.bytes,
    )


def until_done(function: Callable[[], Any], device: str) -> Callable[[], None]:
    """A call that returns when the device has done its work, and keeps no result."""

    def call() -> None:
        function()
        if device != "cpu":
            torch.cuda.synchronize()

    return call


def peak_of(call: Callable[[], None]) -> int:
    """Most bytes of the GPU that are in use during a call, beyond those before."""
    before = torch.cuda.memory_allocated()
    torch.cuda.reset_peak_memory_stats()
    call()
    return torch.cuda.max_memory_allocated() - before


def measure_rates(journal: Journal, device: str) -> None:
    """Keep what the device reaches in a large matrix product of each precision, and in a copy."""
    size = 64 if device == "cpu" else 8192

    def product(precision: str) -> float:
        square = torch.randn(size, size, device=device).to(KINDS[precision])
        call = until_done(lambda: multiply(square, square, precision.replace("bf16", "")), device)
        return 2 * size**3 / min(take_turns({"": call})[""])

    def copy(_: str) -> float:
        numbers = torch.zeros(4 * size * size, device=device)
        return 2 * numbers.nbytes / min(take_turns({"": until_done(numbers.clone, device)})[""])

    measured = {name: product for name in KINDS if (device, name) != ("cpu", "tf32")} | {"copy": copy}
    for name, function in measured.items():
        rate = journal.attempt(f"rate of {name}", lambda: function(name))  # noqa: B023 (is called at once)
        if rate is not None:
            journal.rates[name] = rate
            print(f"  {name}: {rate / 1e12:.3g} T a second", flush=True)
