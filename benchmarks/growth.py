"""Time how our descriptors grow, and what forces, threads, precisions and other instruction sets cost."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from multiprocessing import get_context
from typing import Any

from ase import Atoms

from anisweep.descriptors.arrays import FrameArrays
from anisweep.descriptors.kernels import loader
from benchmarks import _contenders as contenders
from benchmarks import _record, _systems
from benchmarks._contenders import Basis
from benchmarks._systems import System
from benchmarks._timing import Spread, ratios, take_turns

WIDE: Basis = (9, 6)
NARROW: Basis = (6, None)


@dataclass(frozen=True)
class Point:
    """One measurement of a series.

    Attributes
    ----------
    series : what varies, and what else is to be said
    value : of what varies
    ratio : its time over that of the series' first point (``growth``) or of its partner, turn by turn
    """

    series: str
    value: str
    pairs: int
    seconds: float
    ratio: Spread


def run(smoke: bool) -> None:
    """Print the series and keep them."""
    parts = (pairs, particles, basis_sizes, species, forces, precisions, from_arrays, levels, two_threads)
    _record.keep("growth", [point for part in parts for point in part(smoke)], smoke)


def series(name: str, entries: dict[str, tuple[int, Callable[[], Any]]]) -> Iterator[Point]:
    """Functions in turns, each with the pairs that it computes. All are compared with the first."""
    times = take_turns({value: function for value, (_, function) in entries.items()})
    first = next(iter(times.values()))

    for value, (pairs, _) in entries.items():
        point = Point(name, value, pairs, Spread.of(times[value]).median, ratios(times[value], first))
        per_pair = f"{1e6 * point.seconds / pairs:8.3f} us a pair"
        print(f"  {name:48} {value:12} {1e3 * point.seconds:10.3f} ms {per_pair}  {point.ratio.median:.2f}")
        yield point


def describe(system: System, basis: Basis, **other: Any) -> tuple[int, Callable[[], Any]]:
    """Our power spectrum of a system, with its pairs."""
    return system.pairs, partial(contenders.ours(basis, **other), system.frames)


def pairs(smoke: bool) -> Iterator[Point]:
    """One set of frames with a growing cutoff."""
    discs = _systems.dense_frames("dense discs", _systems.DISC, frames=1 if smoke else 50)
    entries = {}

    for cutoff in (5.0, 6.0, 7.0, 8.0, 10.0):
        function = contenders.projection(WIDE, cutoff_radius=cutoff).power_spectrum
        entries[f"{cutoff:g}"] = (discs.within(cutoff), partial(function, discs.frames))
    return series(f"cutoff in Å, dense discs, {words(WIDE)}", entries)


def particles(smoke: bool) -> Iterator[Point]:
    """One cell that grows at constant density."""
    sizes = (50, 100) if smoke else (1_250, 2_500, 5_000, 10_000, 20_000)
    cells = {size: System("cell", [_systems.dense(size, _systems.DISC, seed=0)]) for size in sizes}
    entries = {f"{n:,}": describe(cell, WIDE) for n, cell in cells.items()}
    return series(f"discs in one cell, {words(WIDE)}", entries)


def basis_sizes(smoke: bool) -> Iterator[Point]:
    """lmax, with as many radial functions as AniSOAP takes by itself, then these."""
    discs = _systems.dense_frames("dense discs", _systems.DISC, frames=1 if smoke else 50)
    lmax = {str(lmax): describe(discs, (lmax, None)) for lmax in (2, 4, 6, 8, 10, 12)}
    nmax = {str(nmax): describe(discs, (6, nmax)) for nmax in (1, 2, 4, 6, 8)}

    yield from series("lmax, dense discs", lmax)
    yield from series("nmax at lmax 6, dense discs", nmax)


def species(smoke: bool) -> Iterator[Point]:
    """The same particles under one to four species."""
    frames = 1 if smoke else 50

    def discs(count: int) -> System:
        return _systems.dense_frames("dense discs", _systems.DISC, species=count, frames=frames)

    for basis in (NARROW, WIDE):
        entries = {str(count): describe(discs(count), basis) for count in (1, 2, 3, 4)}
        yield from series(f"species, dense discs, {words(basis)}", entries)


def forces(smoke: bool) -> Iterator[Point]:
    """Energies, then energies with forces, torques and stress, then features' changes along one direction."""
    for system in representative(smoke):
        for basis in (NARROW, WIDE):
            energies, forces = contenders.ours(basis), contenders.our_forces(basis)
            entries = {
                "energies": (system.pairs, partial(energies, system.frames)),
                "and forces": (system.pairs, partial(forces, system.frames)),
                "one direction": (system.pairs, partial(contenders.our_changes(basis), system.frames)),
            }
            yield from series(f"forces, {system.name}, {words(basis)}", entries)


def precisions(smoke: bool) -> Iterator[Point]:
    """fp32, then fp64: features from frames and from the same particles as arrays, then forces with them."""
    for system in representative(smoke):
        for basis in (NARROW, WIDE):
            for what, particles, contender in (
                (f"{system.name} from frames", system.frames, contenders.ours),
                (f"{system.name} from arrays", arrays_of(system), contenders.ours),
                (f"{system.name} from arrays with forces", arrays_of(system), contenders.our_forces),
            ):
                entries = {
                    precision: (system.pairs, partial(contender(basis, precision=precision), particles))
                    for precision in ("fp32", "fp64")
                }
                yield from series(f"precision, {what}, {words(basis)}", entries)


def from_arrays(smoke: bool) -> Iterator[Point]:
    """The same particles as frames and as arrays, in fp64."""
    for system in representative(smoke):
        for basis in (NARROW, WIDE):
            entries = {
                "from frames": (system.pairs, partial(contenders.ours(basis), system.frames)),
                "from arrays": (system.pairs, partial(contenders.ours(basis), arrays_of(system))),
            }
            yield from series(f"arrays, {system.name}, {words(basis)}", entries)


def arrays_of(system: System) -> FrameArrays:
    """The particles of a system without its frames."""
    return contenders.projection(NARROW).gather(system.frames)


def levels(smoke: bool) -> Iterator[Point]:
    """The instruction sets that this CPU has, the fastest first."""
    for system in representative(smoke):
        for basis in (NARROW, WIDE):
            entries = {
                level: (system.pairs, partial(contenders.at_level(basis, level), system.frames))
                for level in reversed(loader.levels())
            }
            yield from series(f"instructions, {system.name}, {words(basis)}", entries)


def two_threads(smoke: bool) -> Iterator[Point]:
    """The kernels alone, their frames read before; then what two processes reach that share nothing."""
    with on_all_cores():
        for system in representative(smoke):
            for basis in (NARROW, WIDE):
                one, two = (contenders.kernels_alone(basis, system.frames, threads) for threads in (1, 2))
                parts = [contenders.kernels_alone(basis, part, 1) for part in halves(system.frames)]
                with processes(parts) as each_its_half:
                    entries = {"1": one, "2": two, "two processes": each_its_half}
                    yield from series(
                        f"threads, kernels, {system.name}, {words(basis)}",
                        {name: (system.pairs, function) for name, function in entries.items()},
                    )


def halves(frames: list[Atoms]) -> tuple[list[Atoms], list[Atoms]]:
    """The even ones and the odd ones: as much work."""
    return frames[::2], frames[1::2] or frames


@contextmanager
def processes(works: list[Callable[[], Any]]) -> Iterator[Callable[[], None]]:
    """A function that lets processes do their works at once, and waits for all of them."""
    fork = get_context("fork")
    ours, theirs = zip(*(fork.Pipe() for _ in works), strict=True)

    def follow(work: Callable[[], Any], pipe: Any) -> None:
        while True:
            pipe.recv_bytes()
            work()
            pipe.send_bytes(b"done")

    def together() -> None:
        for pipe in ours:
            pipe.send_bytes(b"go")
        for pipe in ours:
            pipe.recv_bytes()

    children = [
        fork.Process(target=follow, args=(work, pipe), daemon=True)
        for work, pipe in zip(works, theirs, strict=True)
    ]
    for child in children:
        child.start()
    try:
        yield together
    finally:
        for child in children:
            child.terminate()
            child.join()


def representative(smoke: bool) -> list[System]:
    """Small frames and dense ones."""
    return [
        _systems.ellipsoids(20 if smoke else None),
        _systems.dense_frames("dense discs", _systems.DISC, frames=1 if smoke else 50),
    ]


def words(basis: Basis) -> str:
    return f"lmax {basis[0]}" if basis[1] is None else f"lmax {basis[0]}, nmax {basis[1]}"


@contextmanager
def on_all_cores() -> Iterator[None]:
    """Lift the pinning for a while, where there is any."""
    if not hasattr(os, "sched_setaffinity"):
        yield
        return

    pinned = os.sched_getaffinity(0)
    os.sched_setaffinity(0, range(os.cpu_count() or 1))
    try:
        yield
    finally:
        os.sched_setaffinity(0, pinned)
