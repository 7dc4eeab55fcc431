"""Time our descriptors beside the published package, its Torch version, and featomic's isotropic SOAP."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from benchmarks import _contenders as contenders
from benchmarks import _record, _systems
from benchmarks._contenders import Basis, Function
from benchmarks._systems import System
from benchmarks._timing import Spread, ratios, seconds, take_turns

BASES: list[Basis] = [(6, None), (9, 6), (12, 8)]

#: A contender whose call takes longer than this is timed on fewer frames, and its time scaled by the pairs.
LONGEST_S = 20.0

#: What such a call then takes.
SCALED_S = 8.0

#: From this basis on one dense frame takes the published package half a minute, and none is timed.
FEW_FROM = 12

OURS, PUBLISHED = "ours", "published"


@dataclass(frozen=True)
class Timing:
    """One contender on one system.

    Attributes
    ----------
    seconds : of one call for all pairs, in the median turn
    measured_pairs : fewer than ``pairs`` where the time is scaled by them
    over_ours : its time over ours, turn by turn, for the same pairs
    error : largest difference from the published features over their largest value
    """

    system: str
    output: str
    frames: int
    pairs: int
    lmax: int
    max_radial: int | None
    contender: str
    seconds: float
    measured_pairs: int
    over_ours: Spread
    error: float | None


def run(smoke: bool) -> None:
    """Print a table and keep it."""
    timings = [timing for basis in (BASES[:1] if smoke else BASES) for timing in of_basis(basis, smoke)]
    _record.keep("compared", timings, smoke)


def of_basis(basis: Basis, smoke: bool) -> Iterator[Timing]:
    """All systems with one basis."""
    ellipsoids = _systems.ellipsoids(20 if smoke else None)
    sizes = (1, 10) if smoke else (1, 50, 1000, len(ellipsoids.frames))
    systems = [ellipsoids.first(size) for size in sizes]
    frames = 1 if smoke else 50
    systems += [
        _systems.dense_frames("dense discs", _systems.DISC, frames=frames),
        _systems.dense_frames("dense spheres", _systems.SPHERE, frames=frames),
    ]

    ours = {OURS: contenders.ours(basis)}
    slow = {PUBLISHED: contenders.published(basis), "torch_full": contenders.torch_full(basis)}
    soap = {"featomic, isotropic": contenders.featomic_soap(basis)}
    for system in systems if basis[0] < FEW_FROM else systems[:2]:
        yield from compare(system, "power spectrum", basis, ours | slow | soap)

    coefficients = {
        OURS: contenders.our_coefficients(basis),
        PUBLISHED: contenders.published_coefficients(basis),
    }
    yield from compare(ellipsoids.first(sizes[1]), "coefficients", basis, coefficients)


def compare(system: System, output: str, basis: Basis, functions: dict[str, Function]) -> Iterator[Timing]:
    """All contenders, in turns."""
    parts = {name: affordable(system, function) for name, function in functions.items()}
    results: dict[str, Any] = {}
    times = take_turns({name: keeping(results, name, functions[name], parts[name]) for name in functions})
    scaled = {
        name: [system.pairs / parts[name].pairs * value for value in values] for name, values in times.items()
    }
    errors = differences(results) if output == "power spectrum" else {}

    for name, values in scaled.items():
        timing = Timing(
            system.name,
            output,
            len(system.frames),
            system.pairs,
            *basis,
            name,
            Spread.of(values).median,
            parts[name].pairs,
            ratios(values, scaled[OURS]),
            errors.get(name),
        )
        print(line(timing), flush=True)
        yield timing


def keeping(results: dict[str, Any], name: str, function: Function, system: System) -> Callable[[], None]:
    """A call of a function, whose result is kept."""

    def call() -> None:
        results[name] = function(system.frames)

    return call


def affordable(system: System, function: Function) -> System:
    """The system, or so many of its frames that a call does not take too long."""
    first = system.first(1 + len(system.frames) // 100)
    per_pair = seconds(lambda: function(first.frames), 1) / first.pairs
    if per_pair * system.pairs < LONGEST_S:
        return system

    return system.first(max(1, int(SCALED_S / per_pair * len(system.frames) / system.pairs)))


def differences(results: dict[str, Any]) -> dict[str, float]:
    """Largest difference from the published features over their largest value, of equal features."""
    truth = np.atleast_2d(results[PUBLISHED])

    def of(result: Any) -> float:
        features = np.atleast_2d(result)
        frames = min(len(features), len(truth))
        return float(np.abs(features[:frames] - truth[:frames]).max() / np.abs(truth[:frames]).max())

    return {name: of(results[name]) for name in results.keys() & {OURS, "torch_full"}}


def line(timing: Timing) -> str:
    basis = f"lmax {timing.lmax} nmax {timing.max_radial}"
    mark = " scaled" if timing.measured_pairs < timing.pairs else ""
    what = f"{timing.system} {timing.frames} frames, {timing.output}, {basis}, {timing.contender}"
    return f"  {what:80} {1e3 * timing.seconds:12.3f} ms{mark}  {timing.over_ours.median:9.1f} x ours"
