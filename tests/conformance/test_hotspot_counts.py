"""The profile of the published package counts its einsum calls exactly as the law says."""

from __future__ import annotations

import cProfile
import json

from anisweep import modes
from anisweep.cell import Hypers
from anisweep.datasets import generated
from anisweep.datasets.pairs import pair_count
from anisweep.row import Row
from anisweep.tables import Profile
from anisweep.tables.hotspots import hotspots_table
from anisweep.worker.clock import Silent
from anisweep.worker.timing import calls_of

LMAX = 3
CUTOFF = 5.0


def test_einsum_calls_of_the_power_spectrum() -> None:
    """P (L + 1) + T [(L + 1) + (L + 1)^2] + T^2 (L + 1) for P pairs, one species."""
    frames = [frame for frame, _ in zip(generated()["ellipsoids"].generate(), range(3), strict=False)]
    mode = modes.load("numpy_only")
    calculator = mode.prepare(Hypers(max_angular=LMAX, cutoff_radius=CUTOFF), "power_spectrum", "fp64", "cpu")

    profiler = cProfile.Profile()
    profiler.runcall(mode.compute, calculator, frames, Silent())
    profiler.create_stats()
    profile = Profile(Row(dataset="ellipsoids"), None, "", json.dumps(calls_of(profiler)).encode(), b"")
    calls = hotspots_table([profile]).set_index("function")["calls"]

    pairs = pair_count(frames, CUTOFF, True)
    law = pairs * (LMAX + 1) + (LMAX + 1) + (LMAX + 1) ** 2 + (LMAX + 1)
    assert calls["einsumfunc:einsum"] == law
