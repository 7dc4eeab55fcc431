"""Time each stage of the kernels beside the limits of the core."""

from __future__ import annotations

import ctypes
import platform
import subprocess
import tempfile
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any
from unittest import mock

import numpy as np

from anisweep.descriptors import harmonics
from anisweep.descriptors.kernels import loader
from anisweep.descriptors.kernels import run as calls
from anisweep.descriptors.kernels.structures import BasisTables
from benchmarks import _contenders as contenders
from benchmarks import _record
from benchmarks._contenders import Basis
from benchmarks._systems import System
from benchmarks._timing import seconds
from benchmarks.growth import NARROW, WIDE, representative

#: In the order of kernels/stages.h.
STAGES = ("neighbours", "moments", "rotation", "sum", "orthonormalise", "products", "write")

TURNS = 7


@dataclass(frozen=True)
class Stage:
    """One stage of one system.

    Attributes
    ----------
    seconds : of the median call
    limit_s : what its multiply-adds, or the bytes that it moves, take at least; None where neither is
        what bounds it
    """

    system: str
    lmax: int
    max_radial: int | None
    stage: str
    seconds: float
    limit_s: float | None


@dataclass(frozen=True)
class Limits:
    """What the core does at most, each second, as measured."""

    multiply_adds: float
    bytes_written: float


@dataclass(frozen=True)
class Counts:
    """How often something is done for a system.

    Attributes
    ----------
    pairs : whose moments are computed: of a centre's own images one of two, and itself
    groups : of pairs that are rotated together
    """

    centres: int
    pairs: float
    groups: int


def run(smoke: bool) -> None:
    """Print a table and keep it."""
    if platform.machine() != "x86_64":
        print("  the stages are counted in ticks of x86-64 processors")
        return

    with tempfile.TemporaryDirectory() as folder:
        kernels = compiled("stages", loader.FOLDER / f"{loader.level()}.c", Path(folder))
        kernels.anisweep_ticks.restype = ctypes.POINTER(ctypes.c_uint64 * len(STAGES))
        limits = measured_limits(Path(folder))
        print(f"  at most {limits.multiply_adds / 1e9:.1f} G multiply-adds and", end=" ")
        print(f"{limits.bytes_written / 1e9:.1f} GB written a second")

        stages = [
            stage
            for system in representative(smoke)
            for basis in (NARROW, WIDE)
            for stage in stages_of(system, basis, kernels, limits)
        ]
    _record.keep("limits", [limits], smoke)
    _record.keep("stages", stages, smoke)


def compiled(name: str, source: Path, folder: Path) -> ctypes.CDLL:
    """A source with the flags that the kernels in use have, and with marks at the ends of their stages."""
    target = folder / f"{name}.so"
    flags = [*loader.COMMON_FLAGS, *loader.LEVEL_FLAGS[loader.level()], f"-I{loader.FOLDER}"]
    marks = ["-DANISWEEP_STAGES", '-DANISWEEP_SOURCE="stages"']
    subprocess.run(["cc", *flags, *marks, "-shared", "-fPIC", source, "-o", target, "-lm"], check=True)
    return ctypes.CDLL(str(target))


def measured_limits(folder: Path) -> Limits:
    """The best of many short moments, which nothing interrupts."""
    loop = compiled("limits", Path(__file__).with_name("_limits.c"), folder)
    count = 200_000
    multiply = min(seconds(lambda: loop.anisweep_multiply(ctypes.c_int64(count)), 1) for _ in range(200))

    array = np.ones(2**23)
    write = min(seconds(lambda: array.fill(2.0), 1) for _ in range(20))
    return Limits(12 * loop.anisweep_lanes() * count / multiply, array.nbytes / write)


def stages_of(system: System, basis: Basis, kernels: ctypes.CDLL, limits: Limits) -> list[Stage]:
    """Reading frames, the kernels' stages, and what remains of a call."""
    ours = contenders.projection(basis)
    with mock.patch.object(calls, "kernels", return_value=kernels):
        turns = [one_call(ours, system, kernels) for _ in range(TURNS)]

    least = least_seconds(ours.tables, counts_of(system), len(system.frames), limits)
    stages = [
        Stage(system.name, *basis, name, median(turn[name] for turn in turns), least.get(name))
        for name in turns[0]
    ]
    for stage in stages:
        limit = "" if stage.limit_s is None else f"limit {1e3 * stage.limit_s:8.3f} ms"
        print(f"  {stage.system:18} lmax {stage.lmax} {stage.stage:16} {1e3 * stage.seconds:8.3f} ms {limit}")
    return stages


def one_call(ours: Any, system: System, kernels: ctypes.CDLL) -> dict[str, float]:
    """Seconds of each stage of one call."""
    before = list(kernels.anisweep_ticks().contents)
    in_kernels = Watch(kernels.anisweep_run)
    reading = Watch(ours._gather)

    with mock.patch.object(ours, "_gather", reading), mock.patch.object(kernels, "anisweep_run", in_kernels):
        whole = seconds(lambda: ours.power_spectrum(system.frames), 1)

    ticks = [after - start for after, start in zip(kernels.anisweep_ticks().contents, before, strict=True)]
    share = {name: in_kernels.seconds * count / sum(ticks) for name, count in zip(STAGES, ticks, strict=True)}
    rest = whole - reading.seconds - in_kernels.seconds
    return {"read frames": reading.seconds, **share, "everything else": rest}


class Watch:
    """A function, and how long it has run."""

    def __init__(self, function: Callable[..., Any]) -> None:
        self.function = function
        self.seconds = 0.0

    def __call__(self, *arguments: Any, **options: Any) -> Any:
        result: list[Any] = []
        self.seconds += seconds(lambda: result.append(self.function(*arguments, **options)), 1)
        return result[0]


def counts_of(system: System) -> Counts:
    neighbours = system.neighbours()
    own = neighbours.centre == neighbours.neighbour
    centres = sum(map(len, system.frames))
    others = set(zip(neighbours.centre[~own].tolist(), neighbours.neighbour[~own].tolist(), strict=True))
    return Counts(centres, float((~own).sum() + own.sum() / 2 + centres), len(others))


def terms(l: int) -> int:
    """Multiply-adds for all m of one l and one n, for shapes of revolution, whose moments are real.

    A term of the recurrence (kernels/moments.h) counts where its moment exists. Each moment is multiplied
    then by the cosine of its angle, and from m = 1 on by the sine, and added up. The moment of l = 0 is no
    step of the recurrence.
    """
    turned = 2 * l + 1
    if l == 0:
        return turned

    rows = [(l - 1, abs(m - 1), m) for m in range(l + 1)]
    return turned + sum((lower <= row) + (m <= row) + (m < row) + 1 for row, lower, m in rows)


def least_seconds(tables: BasisTables, counts: Counts, frames: int, limits: Limits) -> dict[str, float]:
    """The time of each stage at the core's limits, were all lanes in use at every moment."""
    operations: Counter[str] = Counter()

    for l, (moments, kept) in enumerate(zip(tables.moments.tolist(), tables.radial.counts, strict=True)):
        entries = np.count_nonzero(harmonics.swap(l)) * moments
        turn = 4 * l * moments
        operations["moments"] += terms(l) * moments
        operations["rotation"] += 2 * entries + 2 * turn
        operations["sum"] += (2 * l + 1) * moments
        operations["orthonormalise"] += (2 * l + 1) * moments * kept
        operations["products"] += (2 * l + 1) * kept * (kept + 1) // 2

    times = {"moments": counts.pairs, "rotation": counts.groups, "sum": counts.groups + counts.centres}
    least = {
        name: count * times.get(name, counts.centres) / limits.multiply_adds
        for name, count in operations.items()
    }
    width = sum(count**2 for count in tables.radial.counts)
    return {**least, "write": frames * width * 8 / limits.bytes_written}
