"""A small profiled study: real profiles of functions with known calls, under the rows of a real one."""

from __future__ import annotations

import cProfile
import json
from dataclasses import replace

import synthetic
from anisweep.tables import Profile
from anisweep.worker import timing

STACKS = (
    "w:<lambda>;anisweep.modes.{mode}:compute;anisoap.x:transform;anisoap.x:expand;numpy.e:einsum 600\n"
    "w:<lambda>;anisweep.modes.{mode}:compute;anisoap.x:transform;anisoap.x:expand 200\n"
    "w:<lambda>;anisweep.modes.{mode}:compute;anisoap.x:transform;metatensor.m:values 150\n"
    "w:<lambda>;anisweep.modes.{mode}:compute 50\n"
)
MODES = ("numpy_only", "torch_full")


def inner(number: int) -> int:
    return sum(range(number))


def outer(calls: int) -> None:
    for _ in range(calls):
        inner(500)


def calls_of(number: int) -> bytes:
    """A cProfile of ``outer``, which calls ``inner`` so often, as the worker writes it."""
    profiler = cProfile.Profile()
    profiler.runcall(outer, number)
    profiler.create_stats()
    return json.dumps(timing.calls_of(profiler)).encode()


def profiles(replicates: int = 2) -> list[Profile]:
    """Two modes of the ellipsoids; replicate r of mode m calls ``inner`` 100 (m + 1) times."""
    rows = [
        row for row in synthetic.first_look(replicates) if row.role == "cell" and row.dataset == "ellipsoids"
    ]
    rows = [row for row in rows if row.mode in MODES and row.output == "coefficients"]
    return [_profile(replace(row, process=0)) for row in rows]


def _profile(row: synthetic.Row) -> Profile:
    calls = calls_of(100 * (1 + MODES.index(row.mode)))
    stacks = STACKS.format(mode=row.mode).encode()
    return Profile(row, 1.25, f"artifacts/{row.pack}.tar.gz", calls, stacks)
