"""Time one cell: first call, warm-up, calibration, repetitions, and a call with clocks inside."""

from __future__ import annotations

import cProfile
import gc
import json
import math
import statistics
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import cycle
from pathlib import Path
from typing import Any

from ase import Atoms

from anisweep.cell import Settings
from anisweep.modes import Timer
from anisweep.worker import host
from anisweep.worker.clock import Clock, Silent
from anisweep.worker.sampling import Sampler

#: Stacks are sampled over at least one call, and over as many as take this long.
SAMPLED_S = 0.5

#: Calls shorter than this are traced three times: one interruption would be a stage of its own.
SHORT_S = 0.1

Compute = Callable[[list[Atoms], Timer], Any]


@dataclass
class Timing:
    """Record what was measured of a cell; times are of one call, in seconds."""

    result: Any
    first_call_s: float
    walls_s: list[float] = field(default_factory=list)
    cpus_s: list[float] = field(default_factory=list)
    loops: int = 1
    traced_wall_s: float = 0.0
    stages_s: dict[str, float] = field(default_factory=dict)
    counts: dict[str, int] = field(default_factory=dict)
    peak_memory_mb: float | None = None
    resident_mb: float | None = None

    @property
    def wall_s(self) -> float:
        """Return the median wall time."""
        return statistics.median(self.walls_s)

    @property
    def cpu_s(self) -> float:
        """Return the median CPU time."""
        return statistics.median(self.cpus_s)


def measure(
    compute: Compute, variants: list[list[Atoms]], settings: Settings, profile: Path | None
) -> Timing:
    """Time ``compute``, and trace where its time goes.

    Parameters
    ----------
    variants : the frames, and copies of them with positions moved by a hair, so that nothing that caches
        its last result looks fast. The result that is kept is that of the first.
    profile : where a cProfile of one more call goes, as .json; stacks sampled during others go beside it
    """
    silent = Silent()
    frames = variants[0]

    started = time.perf_counter()
    result = compute(frames, silent)
    timing = Timing(result, time.perf_counter() - started)

    _time(timing, compute, variants[1:], settings)
    _trace(timing, compute, variants if timing.wall_s < SHORT_S else [frames])

    if profile is not None:
        _profile(compute, frames, profile)

    return timing


def _time(timing: Timing, compute: Compute, copies: list[list[Atoms]], settings: Settings) -> None:
    """Warm up, calibrate by the last warm-up call, and time the repetitions and their peak of memory."""
    moved = cycle(copies)  # on through all repetitions, so that no call repeats the one before
    warm_s = timing.first_call_s

    for _ in range(settings.warmups):
        warm_s, _ = _repeat(compute, moved, 1)

    timing.loops = max(1, round(settings.minimum_s / warm_s))
    before = host.reset_peak_memory()
    gc.collect()
    gc.disable()

    try:
        for _ in range(settings.repetitions):
            wall, cpu = _repeat(compute, moved, timing.loops)
            timing.walls_s.append(wall)
            timing.cpus_s.append(cpu)
    finally:
        gc.enable()

    if before is not None:
        timing.resident_mb = round(host.peak_memory_mb(), 3)
        timing.peak_memory_mb = round(max(0.0, timing.resident_mb - before), 3)


def _trace(timing: Timing, compute: Compute, variants: list[list[Atoms]]) -> None:
    """Call each variant once more, with clocks in it; the least disturbed call counts."""
    timing.traced_wall_s = math.inf

    for frames in variants:
        clock = Clock()
        started = time.perf_counter()
        result = compute(frames, clock)
        wall = time.perf_counter() - started
        del result  # not within the call: what it takes to free it is no stage's

        if wall < timing.traced_wall_s:
            timing.traced_wall_s = wall
            timing.stages_s = dict(clock.seconds)
            timing.counts = dict(clock.counts)


def _profile(compute: Compute, frames: list[Atoms], file: Path) -> None:
    """Profile one call with cProfile, which slows it down, and sample the stacks of calls at full speed."""
    silent = Silent()
    file.parent.mkdir(parents=True, exist_ok=True)

    with cProfile.Profile() as profiler:
        compute(frames, silent)
    profiler.create_stats()
    file.write_text(json.dumps(calls_of(profiler)))

    sampler = Sampler()
    started = time.perf_counter()
    with sampler:
        while time.perf_counter() - started < SAMPLED_S:
            compute(frames, silent)
    file.with_suffix(".folded").write_text(sampler.folded())


def calls_of(profiler: cProfile.Profile) -> list[Any]:
    """Return what a cProfile holds, as plain lists, which every version of Python reads.

    Of each function: file, line, name, calls without recursion, calls, seconds in itself, seconds in all, and
    the same of its callers, for what they called of it.
    """
    stats: dict[Any, Any] = profiler.stats  # type: ignore[attr-defined]
    return [
        [*function, *numbers, [[*caller, *shared] for caller, shared in callers.items()]]
        for function, (*numbers, callers) in stats.items()
    ]


def _repeat(compute: Compute, moved: Iterator[list[Atoms]], loops: int) -> tuple[float, float]:
    """Return wall and CPU time of one call, over ``loops`` calls on changing positions."""
    silent = Silent()
    wall = time.perf_counter()
    cpu = time.process_time()

    for _ in range(loops):
        compute(next(moved), silent)

    cpu = time.process_time() - cpu
    wall = time.perf_counter() - wall
    return wall / loops, cpu / loops
