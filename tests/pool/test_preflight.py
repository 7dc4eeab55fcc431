"""`anisweep preflight` on a real pool: nothing in the way, then what no slot has, then no schedd."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml
from jobs import wait_for

from clone import Clone
from condor.pool import Pool
from condor.pool.image import BASE

SITE = {"netid": "zoe", "staging": "/images", "image": {"small": True, "base": BASE}}


@dataclass(frozen=True)
class Desk:
    """The project as a user of the pool has it."""

    pool: Pool
    folder: Path

    def fill_in(self, **lines: Any) -> None:
        """Write condor/site.yaml."""
        (self.folder / "condor" / "site.yaml").write_text(yaml.safe_dump({**SITE, **lines}))

    def preflight(self, *overrides: str, status: int = 1) -> str:
        cwd = self.pool.give(self.folder)
        code = {"PYTHONPATH": f"{cwd}/src", "PYTHONDONTWRITEBYTECODE": "1"}
        done = self.pool.run("anisweep", "preflight", "study=tiny", *overrides, cwd=cwd, **code)

        assert done.returncode == status, done.stdout + done.stderr
        return done.stdout


@pytest.fixture
def desk(pool: Pool, image: str) -> Desk:
    folder = pool.home / "a desk"
    if not folder.exists():
        Clone.of_the_tree(folder)

    desk = Desk(pool, folder)
    desk.fill_in()
    return desk


@pytest.fixture
def without_schedd(pool: Pool) -> Iterator[None]:
    pool.on("ap", "condor_off", "-fast", "-daemon", "schedd")
    wait_for(lambda: pool.run("condor_q").returncode != 0, "the schedd still answers")
    yield
    pool.restart("ap")


def test_nothing_in_the_way(desk: Desk) -> None:
    assert desk.preflight(status=0) == "Preflight: nothing is in the way of 2 jobs.\n"


def test_memory_that_no_slot_has(desk: Desk) -> None:
    said = desk.preflight("modes=[torch_full]", "hypers={max_angular: 20, cutoff_radius: 40.0}")

    assert "Memory in MB: a pack asks for" in said
    assert "and no slot of this pool has more than 4,096." in said
    assert "a lower `max_angular`" in said


def test_gpu_that_no_slot_has(desk: Desk) -> None:
    said = desk.preflight("devices=[cuda]")

    assert "GPUs: a pack asks for 1, and no slot of this pool has more than 0." in said
    assert "Take `cuda` out" in said


def test_microarchitecture_that_no_slot_has(desk: Desk) -> None:
    desk.fill_in(submit={"requirements": 'HasSIF && Microarch == "x86_64-v9"'})
    said = desk.preflight()

    assert 'no slot of this pool fulfils `Microarch == "x86_64-v9"` (Microarch: x86_64-v2, x86_64-v' in said
    assert "HasSIF" not in said
    assert "`submit: requirements`" in said


def test_one_slot_that_has_it_is_enough(desk: Desk) -> None:
    desk.fill_in(submit={"requirements": 'Microarch == "x86_64-v2" && TARGET.Memory >= RequestMemory'})

    desk.preflight(status=0)


def test_what_no_slot_has_together(desk: Desk) -> None:
    desk.fill_in(submit={"requirements": 'Microarch == "x86_64-v2" && Machine == "ep1"'})

    said = desk.preflight()
    assert "No slot of this pool has all of this together" in said
    assert 'Machine == "ep1"' in said


def test_no_expression(desk: Desk) -> None:
    desk.fill_in(submit={"requirements": "Microarch >>= 3"})

    assert "`Microarch >>= 3` is no ClassAd expression" in desk.preflight()


def test_schedd_down(desk: Desk, without_schedd: None) -> None:
    said = desk.preflight()

    assert "1 to mend" in said
    assert "No answer from the schedd" in said
    assert "wait and try again" in said
    assert "Traceback" not in said
