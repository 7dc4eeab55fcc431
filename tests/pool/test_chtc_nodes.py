"""Machines that break while packs run: each pack succeeds once, and nothing is lost."""

from __future__ import annotations

import subprocess
from dataclasses import replace
from pathlib import Path

import pytest
from sweep import Sweep, ended, wait_while

from condor.pool import Pool

pytestmark = pytest.mark.fault

EXECUTE = "/var/lib/condor/execute"

#: More than packs write while their disk is made small.
MORE_KB = 65536

#: First on this one, and then anywhere.
STARTS_ON_EP1 = 'NumJobStarts > 0 || TARGET.Machine == "ep1"'


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
    sweep.submits(requirements=STARTS_ON_EP1)
    run = _running(sweep, packs=2)

    pool.kill("ep1")
    said = ended(run)
    pool.restart("ep1")

    assert run.returncode == 0, said
    sweep.check_complete(packs=2)
    assert {record["host"] for record in sweep.job_records()} == {"ep2"}
    assert set(sweep.executions().values()) == {2}


def test_disk_of_the_execute_point_is_full(sweep: Sweep, pool: Pool) -> None:
    """It fills up while packs run there: they start again, where there is room."""
    sweep.submits(requirements=STARTS_ON_EP1)
    _mount(pool, "ep1", EXECUTE, "size=8g,mode=0755")
    pool.on("ep1", "chown", "condor:condor", EXECUTE)
    try:
        run = _running(sweep, packs=2)
        used = pool.on("ep1", "df", "--output=used", "-k", EXECUTE).stdout.split()[-1]
        _mount(pool, "ep1", EXECUTE, f"remount,size={int(used) + MORE_KB}k")
        pool.on("ep1", "sh", "-c", f"cat /dev/zero > {EXECUTE}/filler")
        said = ended(run)
    finally:
        pool.on("ep1", "umount", "--lazy", EXECUTE)

    assert run.returncode == 0, said
    sweep.check_complete(packs=2)
    # A pack that had written all that it writes may still end at its first start,
    # and what the other leaves behind it frees the room for a second one there.
    assert 2 in sweep.executions().values()


def test_disk_of_the_access_point_is_full(sweep: Sweep, pool: Pool) -> None:
    """It fills up while packs run; when there is room again, they complete."""
    sweep.submits(transfer_wait_s=5)
    results = f"{sweep.there}/results"
    pool.run("mkdir", results)
    _mount(pool, "ap", results, "size=150m,uid=12000")
    seen = replace(sweep, root=Path(f"/proc/{pool._running('ap').pid}/root{sweep.there}"))

    run = _running(seen)
    pool.run("sh", "-c", f"cat /dev/zero > '{results}/filler'")
    wait_while(run, lambda: _held_or_gone(seen), "no pack ended")
    pool.run("rm", f"{results}/filler")
    said = ended(run)

    assert run.returncode == 0, said
    seen.check_complete(packs=3)


def _held_or_gone(sweep: Sweep) -> bool:
    """Whether no job runs."""
    return not any(line.endswith(" 2") for line in sweep.queue())


def _mount(pool: Pool, node: str, folder: str, options: str) -> None:
    done = pool.on(node, "mount", "-t", "tmpfs", "-o", options, "tmpfs", folder)
    assert done.returncode == 0, done.stderr


def _running(sweep: Sweep, packs: int = 3) -> subprocess.Popen[str]:
    """A controller of so many packs, all of which have started."""
    run = sweep.start(*sweep.measuring(f"replicates={packs}"))
    wait_while(run, lambda: len(sweep.executions()) == packs, "not all packs started")
    return run
