"""The controller as a job of the access point: its user has logged out, and it is killed, held, removed."""

from __future__ import annotations

import json
import re
from concurrent.futures import Future

import pytest
from jobs import wait_for
from sweep import Scenario, Sweep

from condor.pool import Pool

pytestmark = pytest.mark.fault


def killed_once(sweep: Sweep) -> None:
    """kill -9: HTCondor starts it again, and it finds its packs."""
    job = _submitted(sweep)
    _wait_for_a_pack(sweep)
    assert _parent(sweep) == "condor_starter"  # no process of the user's is left

    _user(sweep, "kill", "-KILL", str(_pid(sweep)))

    _wait_for_the_end(sweep, job)
    sweep.check_complete(packs=3)
    assert set(sweep.executions().values()) == {1}
    assert (sweep.root / "results" / "report.html").exists()


def held_and_released(sweep: Sweep) -> None:
    """Held, it detaches and its packs go on; released, it takes them up again."""
    job = _submitted(sweep)
    _wait_for_a_pack(sweep)

    _user(sweep, "condor_hold", job)
    wait_for(lambda: sweep.successes().total() == 3, "the packs did not go on")
    assert sweep.queue() == [f"{job}.0 5"]
    assert sweep.digests() == {}

    _user(sweep, "condor_release", job)
    _wait_for_the_end(sweep, job)
    sweep.check_complete(packs=3)
    assert set(sweep.executions().values()) == {1}


def removed(sweep: Sweep) -> None:
    """Removed, it takes its packs out of the queue."""
    job = _submitted(sweep)
    _wait_for_a_pack(sweep)

    _user(sweep, "condor_rm", job)

    wait_for(lambda: sweep.queue() == [], "jobs stay in the queue")
    assert sweep.digests() == {}
    sweep.measure()
    sweep.check_complete(packs=3)


SCENARIOS = [killed_once, held_and_released, removed]


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda scenario: scenario.__name__)
def test_controller(scenario: Scenario, beside: dict[Scenario, Future[None]]) -> None:
    beside[scenario].result()


def test_restart_of_the_schedd(pool: Pool, image: str) -> None:
    """Exactly one controller goes on."""
    sweep = Sweep.planted(pool, "controller_and_schedd")
    job = _submitted(sweep)
    _wait_for_a_pack(sweep)

    pool.on("ap", "pkill", "-KILL", "-x", "condor_schedd")

    _wait_for_the_end(sweep, job)
    sweep.check_complete(packs=3)
    assert "Another run is measuring" not in _said(sweep)


def _submitted(sweep: Sweep) -> str:
    """Submit the controller of `everything`. Returns the number of its cluster."""
    said = sweep.run("anisweep", "submit", "--controller", "study=everything")
    found = re.search(r"The controller is job (\d+)", said)
    assert found is not None, said
    return found[1]


def _wait_for_a_pack(sweep: Sweep) -> None:
    wait_for(lambda: sweep.executions().total() > 0, f"no pack started: {_said(sweep)}")


def _wait_for_the_end(sweep: Sweep, job: str) -> None:
    wait_for(lambda: not any(line.startswith(f"{job}.") for line in sweep.queue()), "the controller runs on")


def _said(sweep: Sweep) -> str:
    return "".join(file.read_text() for file in sweep.root.glob("results/controllers/*.out"))


def _pid(sweep: Sweep) -> int:
    """Its number on the access point."""
    return int(json.loads((sweep.root / "results" / ".anisweep" / "controller.lock").read_text())["pid"])


def _parent(sweep: Sweep) -> str:
    """The program that has started it."""
    parent = _user(sweep, "ps", "-o", "ppid=", "-p", str(_pid(sweep))).strip()
    return _user(sweep, "ps", "-o", "comm=", "-p", parent).strip()


def _user(sweep: Sweep, *command: str) -> str:
    assert sweep.pool is not None
    done = sweep.pool.run(*command)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout
