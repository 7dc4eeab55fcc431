"""Time the descriptors against others, alternating, on one pinned core: `make bench`.

Results go to results/benchmarks.json and, as a table, to standard output. `--smoke` takes seconds and only
shows that everything runs.
"""

from __future__ import annotations

import json
import os
import platform
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median
from time import perf_counter

for _name in ("OMP", "OPENBLAS", "MKL", "RAYON"):
    os.environ[f"{_name}_NUM_THREADS"] = "1"

from ase import Atoms  # noqa: E402

from anisweep.descriptors import library  # noqa: E402
from benchmarks import _contenders as contenders  # noqa: E402
from benchmarks import _systems as systems  # noqa: E402
from benchmarks._contenders import Function  # noqa: E402

BASES: list[tuple[int, int | None]] = [(6, None), (9, 6), (12, 8)]

#: Frames that the published package is timed on: it needs milliseconds a pair.
FEW = {6: 50, 9: 10, 12: 2}


@dataclass(frozen=True)
class Timing:
    """One line of the table. ``low`` and ``high`` are the quartiles of the repetitions."""

    system: str
    lmax: int
    max_radial: int | None
    contender: str
    frames: int
    repetitions: int
    median_ms: float
    low_ms: float
    high_ms: float


def measure(functions: dict[str, Function], frames: list[Atoms], repetitions: int) -> dict[str, list[float]]:
    """Milliseconds of each function; they take turns, so that a slow moment hits all of them."""
    times: dict[str, list[float]] = {name: [] for name in functions}
    for function in functions.values():
        function(frames)

    for _ in range(repetitions):
        for name, function in functions.items():
            start = perf_counter()
            function(frames)
            times[name].append(1e3 * (perf_counter() - start))
    return times


def timings(
    system: str,
    basis: tuple[int, int | None],
    functions: dict[str, Function],
    frames: list[Atoms],
    count: int,
) -> list[Timing]:
    lines = []
    for name, values in measure(functions, frames, count).items():
        ordered = sorted(values)
        low, high = ordered[len(ordered) // 4], ordered[-1 - len(ordered) // 4]
        lines.append(Timing(system, *basis, name, len(frames), count, median(values), low, high))
        what = f"{system:26} {len(frames):5} frames  lmax {basis[0]:2}  {name:22}"
        print(f"{what} {median(values):10.3f} ms  {low:.3f} to {high:.3f}", flush=True)
    return lines


def everything(smoke: bool) -> list[Timing]:
    lines: list[Timing] = []
    kind, frames = systems.ellipsoids(20 if smoke else None)
    discs, spheres = systems.dense_frames(systems.DISC), systems.dense_frames(systems.SPHERE)
    pairs_of_species = systems.dense_frames(systems.DISC, species=2)
    count = 1 if smoke else 7

    for basis in BASES[:1] if smoke else BASES:
        ours = {"ours": contenders.ours(*basis)}
        soap = {"featomic (isotropic)": contenders.featomic_soap(*basis)}
        several = {
            **ours,
            "ours, coefficients": contenders.our_coefficients(*basis),
            "ours, forces": contenders.our_forces(*basis),
            "ours, two threads": contenders.ours(*basis, threads=2),
        }

        few = frames[: FEW[basis[0]]]
        lines += timings(f"ellipsoids ({kind})", basis, {"published": contenders.published(*basis)}, few, 1)
        for size in (1, 50, len(few)):
            lines += timings(f"ellipsoids ({kind})", basis, ours, frames[:size], 7 * count)
        lines += timings(f"ellipsoids ({kind})", basis, {**several, **soap}, frames, count)
        lines += timings("dense discs", basis, {**several, **soap}, discs, count)
        lines += timings("dense discs, two species", basis, ours, pairs_of_species, count)
        lines += timings("dense spheres", basis, {**ours, **soap}, spheres, count)

    if not smoke:
        for particles in (5_000, 10_000):
            large = [systems.dense(particles, systems.DISC, seed=0)]
            lines += timings("one large cell", (9, 6), {"ours": contenders.ours(9, 6)}, large, 1)
    return lines


def run(smoke: bool) -> None:
    """Print the table and, unless it is only a smoke test, write results/benchmarks.json."""
    if hasattr(os, "sched_setaffinity") and not smoke:
        os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[-2:])

    lines = everything(smoke)
    machine = {"machine": platform.machine(), "level": library.level(), "load": os.getloadavg()}
    text = json.dumps({**machine, "timings": [asdict(line) for line in lines]}, indent=1)

    if not smoke:
        path = Path("results/benchmarks.json")
        path.write_text(text + "\n", encoding="utf-8")
        print(f"written: {path}")
