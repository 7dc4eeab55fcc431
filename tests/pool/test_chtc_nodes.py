"""Machines that break while packs run: each pack succeeds once, and nothing is lost."""

from __future__ import annotations

import pytest
from sweep import Sweep, ended, wait_while

from condor.pool import Pool

pytestmark = pytest.mark.fault


@pytest.fixture
def sweep(pool: Pool, image: str, request: pytest.FixtureRequest) -> Sweep:
    return Sweep.planted(pool, request.node.name)


def test_schedd_is_killed(sweep: Sweep, pool: Pool) -> None:
    run = _running(sweep)

    pool.on("ap", "pkill", "-KILL", "-x", "condor_schedd")
    said = ended(run)

    assert run.returncode == 0, said
    sweep.check_complete(packs=3)


def test_access_point_restarts(sweep: Sweep, pool: Pool) -> None:
    """Its controller dies with it; the queue stays on its disk."""
    run = _running(sweep)

    pool.kill("ap")
    assert ended(run) is not None
    pool.restart("ap")
    said = sweep.measure()

    assert "Submitted" not in said
    sweep.check_complete(packs=3)


def test_execute_point_dies(sweep: Sweep, pool: Pool) -> None:
    """Its packs start again elsewhere."""
    sweep.site("submit: {}", """submit: {requirements: 'NumJobStarts > 0 || TARGET.Machine == "ep1"'}""")
    run = _running(sweep)

    pool.kill("ep1")
    said = ended(run)
    pool.restart("ep1")

    assert run.returncode == 0, said
    sweep.check_complete(packs=3)
    assert "ep2" in {journey["host"] for journey in sweep.journeys()}
    assert sweep.executions().total() > 3


def test_disk_of_the_execute_point_is_full(sweep: Sweep, pool: Pool) -> None:
    """Full while the packs run: they fail there and start again."""


def test_disk_of_the_access_point_is_full(sweep: Sweep, pool: Pool) -> None:
    """Full while the packs run: they fail there and start again."""


def _running(sweep: Sweep) -> subprocess.Popen[str]:
    """A controller one of whose packs has started."""
    run = sweep.start(*sweep.measuring())
    wait_while(run, lambda: sweep.executions().total() > 0, "no pack started")
    return run
