"""Time steps of rigid-body dynamics by a fitted model, for single systems and for many at once."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial

import numpy as np

from anisweep.dynamics import RigidBodies, solid_ellipsoid
from anisweep.models import RidgeModel
from benchmarks import _contenders as contenders
from benchmarks import _record, _systems
from benchmarks._contenders import Basis
from benchmarks._systems import DISC, System
from benchmarks._timing import Spread, ratios, take_turns
from benchmarks.growth import NARROW, WIDE, words

#: In units in which masses are 1: so short that particles stay where they are, as any step takes as long.
STEP = 1e-6

#: Frames that the model learns from.
LEARNED = 20

PRECISIONS = ("fp64", "fp32")


@dataclass(frozen=True)
class Moved:
    """Steps of one system, or of systems that move at once.

    Attributes
    ----------
    particles : of all frames
    pairs : of all frames
    seconds : of one step of all frames
    over_fp64 : its time over that in fp64, turn by turn
    """

    system: str
    frames: int
    particles: int
    pairs: int
    lmax: int
    max_radial: int | None
    precision: str
    seconds: float
    over_fp64: Spread


def run(smoke: bool) -> None:
    """Print the figures and keep them; with ``smoke`` for the smallest systems."""
    moved = [
        each
        for basis in ((NARROW,) if smoke else (NARROW, WIDE))
        for system in systems(smoke)
        for each in steps(system, basis)
    ]
    _record.keep("dynamics", moved, smoke)


def systems(smoke: bool) -> list[System]:
    """Cells of discs that grow at constant density, then many small ones."""
    cells = (20,) if smoke else (20, 200, 2_000)
    single = [System("one cell", [_systems.dense(size, DISC, seed=0)]) for size in cells]
    return [*single, _systems.dense_frames("cells at once", DISC, frames=2 if smoke else 50)]


def steps(system: System, basis: Basis) -> Iterator[Moved]:
    """One step in each precision, in turns."""
    times = take_turns({each: partial(bodies_of(system, basis, each).run, 1, STEP) for each in PRECISIONS})

    for precision, values in times.items():
        moved = Moved(
            system.name,
            len(system.frames),
            sum(map(len, system.frames)),
            system.pairs,
            *basis,
            precision,
            Spread.of(values).median,
            ratios(values, times[PRECISIONS[0]]),
        )
        what = f"{moved.frames} x {moved.particles // moved.frames} discs, {words(basis)}, {precision}"
        print(f"  {what:44} {1 / moved.seconds:10.1f} steps per second", flush=True)
        yield moved


def bodies_of(system: System, basis: Basis, precision: str) -> RigidBodies:
    """All particles of a system, in motion."""
    inertia = solid_ellipsoid(1.0, np.array(DISC))
    bodies = RigidBodies(model(basis, precision), system.frames, masses=1.0, inertia=inertia)
    bodies.draw_velocities(1.0)
    return bodies


def model(basis: Basis, precision: str) -> RidgeModel:
    """A linear model of random energies: what its steps take does not depend on what it has learned."""
    projection = contenders.projection(basis, precision=precision, cutoff_smoothing=0.5)
    frames = _systems.dense_frames("learned", DISC, frames=LEARNED).frames
    energies = np.random.default_rng(0).normal(size=LEARNED)
    return RidgeModel.fit(projection, frames, energies.tolist(), unit="reduced")
