"""`anisweep preflight` on a real pool: nothing in the way, then what no slot has, then no schedd."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest
from jobs import wait_for
from sweep import SITE, Sweep

from condor.pool import Pool


@pytest.fixture
def desk(pool: Pool, image: str) -> Sweep:
    """The project on the access point, filled in, with its image in place."""
    if not (pool.home / "a desk").exists():
        Sweep.on(pool, "a desk")

    desk = Sweep(pool.home / "a desk", {}, pool)
    demand(desk, "")
    return desk


def demand(desk: Sweep, requirements: str) -> None:
    """Let the user ask something of slots."""
    file = desk.root / "condor" / "site.yaml"
    file.write_text(SITE.replace("submit: {}", f"submit: {{requirements: {json.dumps(requirements)}}}"))


def preflight(desk: Sweep, *overrides: str, status: int = 1) -> str:
    return desk.run("anisweep", "preflight", "study=tiny", *overrides, status=status)


@pytest.fixture
def without_schedd(pool: Pool) -> Iterator[None]:
    pool.on("ap", "condor_off", "-fast", "-daemon", "schedd")
    wait_for(lambda: pool.run("condor_q").returncode != 0, "the schedd still answers")
    yield
    pool.restart("ap")


def test_nothing_in_the_way(desk: Sweep) -> None:
    assert preflight(desk, status=0) == "Preflight: nothing is in the way of 2 jobs.\n"


def test_memory_that_no_slot_has(desk: Sweep) -> None:
    said = preflight(desk, "modes=[torch_full]", "hypers={max_angular: 20, cutoff_radius: 40.0}")

    assert "Memory in MB: a job asks for" in said
    assert "and no slot of this pool has more than 4,096." in said
    assert "a lower `max_angular`" in said


def test_gpu_that_no_slot_has(desk: Sweep) -> None:
    said = preflight(desk, "devices=[cuda]")

    assert "GPUs: a job asks for 1, and no slot of this pool has more than 0." in said
    assert "Take `cuda` out" in said


def test_microarchitecture_that_no_slot_has(desk: Sweep) -> None:
    demand(desk, 'HasSIF && Microarch == "x86_64-v9"')
    said = preflight(desk)

    assert 'no slot of this pool fulfils `Microarch == "x86_64-v9"` (Microarch: x86_64-v3, x86_64-v4)' in said
    assert "HasSIF" not in said
    assert "`submit: requirements`" in said


def test_one_slot_that_has_it_is_enough(desk: Sweep) -> None:
    demand(desk, 'Microarch == "x86_64-v3" && TARGET.Memory >= RequestMemory')

    preflight(desk, status=0)


def test_what_no_slot_has_together(desk: Sweep) -> None:
    demand(desk, 'Microarch == "x86_64-v3" && Machine == "ep1"')

    said = preflight(desk)
    assert "No slot of this pool has all of this together" in said
    assert 'Machine == "ep1"' in said


def test_no_expression(desk: Sweep) -> None:
    demand(desk, "Microarch >>= 3")

    assert "`Microarch >>= 3` is no ClassAd expression" in preflight(desk)


def test_schedd_down(desk: Sweep, without_schedd: None) -> None:
    said = preflight(desk)

    assert "1 to mend" in said
    assert "No answer from the schedd" in said
    assert "wait and try again" in said
    assert "Traceback" not in said
