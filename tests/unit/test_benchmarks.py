"""What benchmarks count, and what their page says where a machine has less."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from benchmarks import _answers, dynamics, growth, stages
from benchmarks._kept import Kept

EVEN = {"median": 1.0, "low": 1.0, "high": 1.0}


def kept(**series: tuple[str, ...]) -> Kept:
    """Series of growth in which all times are equal."""
    rows: list[dict[str, Any]] = [
        {"series": name, "value": value, "pairs": 1, "seconds": 1.0, "ratio": EVEN}
        for name, values in series.items()
        for value in values
    ]
    return Kept({"growth": {"measured": rows}})


def test_the_limit_of_moments_counts_the_terms_that_exist() -> None:
    """By hand: z g(0,0,0), C; rho g(0,0,0), C; and three that turn them. From l = 2 on 4l + 1, and 2l + 1."""
    assert [stages.terms(l) for l in range(5)] == [1, 7, 14, 20, 26]


def instructions(*levels: str) -> list[str]:
    names = [f"instructions, {system}, lmax 9, nmax 6" for system in _answers.SYSTEMS]
    return list(_answers.instructions(kept(**dict.fromkeys(names, levels))))


def test_avx2_is_compared_where_the_cpu_has_more() -> None:
    assert ["avx2 over avx512" in row for row in instructions("avx512", "avx2", "portable")] == [True, True]


def test_avx2_is_not_compared_with_itself() -> None:
    assert instructions("avx2", "portable") == []


@pytest.mark.parametrize("precision", ["fp64", "fp32"])
def test_a_step_of_dynamics_is_made_in_its_precision(precision: str) -> None:
    projection = dynamics.model(growth.NARROW, precision).projection
    assert projection.number_type == {"fp64": np.float64, "fp32": np.float32}[precision]


def test_particles_stay_where_they_are_while_their_steps_are_timed() -> None:
    """So that all turns have the same pairs."""
    (cell, *_) = dynamics.systems(smoke=True)
    bodies = dynamics.bodies_of(cell, growth.NARROW, "fp64")
    start = bodies.frames()[0].positions.copy()

    bodies.run(1_000, dynamics.STEP)
    moved = np.abs(bodies.frames()[0].positions - start).max()
    assert 0 < moved < 0.01
