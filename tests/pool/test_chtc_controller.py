"""The controller as a job of the access point: its user has logged out, and it is killed, held, removed."""

from __future__ import annotations

import json
import re
from concurrent.futures import Future

import pytest
from jobs import wait_for
from sweep import WHEN_READY, Scenario, Sweep

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

    (said,) = (sweep.root / "results" / "controllers").glob("*.out")
    assert said.read_text().count("Using profiles chtc") == 2, "what it said before it was killed is lost"


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


def second_is_refused(sweep: Sweep) -> None:
    """Before it gets into the queue, whether the first one runs or is held."""
    sweep.submits(requirements=WHEN_READY)
    job = _submitted(sweep)
    wait_for(lambda: len(sweep.queue()) == 4, "not all packs were submitted")

    for hold in (False, True):
        if hold:
            _user(sweep, "condor_hold", job)
        said = sweep.run("anisweep", "submit", "--controller", "study=everything", status=1)
        assert f"A controller of everything is there already: job {job} on ap" in said
        assert f"`condor_rm {job}`" in said

    _user(sweep, "condor_rm", job)
    assert "3 of 3 packs that are under way cancelled" in sweep.run("anisweep", "cancel", "--all")
    wait_for(lambda: sweep.queue() == [], "jobs stay in the queue")


def fails_with_its_cells(sweep: Sweep) -> None:
    """Its exit status is 1; what it says last counts, and names the command; the report is there."""
    cells = (
        "replicates=1",
        "modes=[raises]",
        "outputs=[power_spectrum]",
        "datasets={four_species: {frames: 1}}",
    )
    job = _submitted(sweep, *cells)
    _wait_for_the_end(sweep, job)

    last = _said(sweep).rstrip().splitlines()[-1]
    assert last.startswith(
        "1 of 1 cell has no measurement (1 failed). To try again: anisweep submit --controller"
    )
    assert last.endswith("retry=True")
    assert (sweep.root / "results" / "report.html").exists()
    assert f"job {job}: ended with status 1" in sweep.run("anisweep", "status")


SCENARIOS = [killed_once, held_and_released, removed, second_is_refused, fails_with_its_cells]


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


def _submitted(sweep: Sweep, *overrides: str) -> str:
    """Submit the controller of `everything`. Returns the number of its cluster."""
    said = sweep.run("anisweep", "submit", "--controller", "study=everything", *overrides)
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
