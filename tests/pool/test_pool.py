"""The pool is a real one: jobs, faults, limits, and nothing left behind."""

from __future__ import annotations

import os
from pathlib import Path

import psutil
import pytest
from jobs import submit, wait_for

from condor.pool import ACCESS_POINT, Node, Pool, PoolError, SystemPool
from condor.pool.machine import CGROUPS, CONTROLLERS


def test_ordinary_user_gets_files_through_transfer(any_pool: Pool | SystemPool) -> None:
    folder = any_pool.home / "a job"
    folder.mkdir()
    (folder / "input.txt").write_text("carried there\n")

    (folder / "run.sh").write_text("#!/bin/sh\ncat input.txt > output.txt\nid -u\n")

    job = submit(
        any_pool,
        folder,
        "executable = run.sh\ntransfer_input_files = input.txt\ntransfer_output_files = output.txt",
    )
    job.wait()

    assert (folder / "output.txt").read_text() == "carried there\n"
    assert (folder / "out").read_text().strip() not in ("", "0")


def test_nodes_share_nothing(pool: Pool) -> None:
    seen = {node.name: pool.on(node.name, "ls", pool.user.home).returncode for node in pool.nodes}

    assert seen == {"ap": 0, "build": 0, "ep1": 2, "ep2": 2}
    assert pool.on("ep1", "touch", "/only-here").returncode == 0
    assert pool.on("ep2", "ls", "/only-here").returncode == 2


def test_user_cannot_change_the_project(pool: Pool) -> None:
    project = Path(__file__).resolve().parents[2]

    assert pool.run("ls", str(project)).returncode == 0
    assert pool.run("touch", f"{project}/new").returncode != 0
    assert "Read-only" in pool.on("ap", "touch", f"{project}/new").stderr


def test_hardware_differs(pool: Pool) -> None:
    asked = pool.run("condor_status", "-constraint", 'Microarch == "x86_64-v3"', "-af", "Machine")

    assert set(asked.stdout.split()) == {"ep2"}  # a line for each slot, also those cut from the whole


def test_access_point_keeps_its_queue(pool: Pool) -> None:
    job = submit(pool, pool.home / "held", "executable = /bin/true\nhold = True")

    pool.kill("ap")
    assert not pool.running("ap")
    pool.restart("ap")

    assert job.ask("JobStatus") == "5"
    known = pool.run("condor_status", "-af", "Machine").stdout.split()
    assert set(known) == {"ep1", "ep2"}, "the collector does not know the execute points again"
    job.remove()


@pytest.mark.fault
def test_job_survives_its_execute_point(pool: Pool) -> None:
    folder = pool.home / "moved"
    folder.mkdir()
    (folder / "run.sh").write_text("#!/bin/sh\nsleep 5\nhostname\n")

    job = submit(
        pool, folder, 'executable = run.sh\nrequirements = NumJobStarts > 0 || TARGET.Machine == "ep1"'
    )
    wait_for(lambda: "Job executing on host" in job.story(), "the job never ran")

    pool.kill("ep1")
    job.wait()
    pool.restart("ep1")

    assert (job.folder / "out").read_text().split() == ["ep2"]


def test_too_much_memory_is_a_hold(limited: Pool) -> None:
    (limited.home / "eats").mkdir()
    (limited.home / "eats" / "eat.py").write_text(
        "import time\nx = bytearray(b'1') * (600 << 20)\ntime.sleep(60)\n"
    )

    job = submit(
        limited,
        limited.home / "eats",
        "executable = /usr/bin/python3\ntransfer_executable = False\narguments = eat.py\n"
        "transfer_input_files = eat.py",
    )
    wait_for(lambda: job.ask("JobStatus") == "5", "the job was not held")

    assert job.ask("HoldReasonCode") == "34"
    assert job.ask("HoldReasonSubCode") == "102"
    job.remove()


def test_stop_leaves_nothing_behind(pool: Pool, own_name: str) -> None:
    second = Pool.start(f"{own_name}-second", nodes=(ACCESS_POINT, Node("ep9", "ep", 9620)))
    ours = _processes_of(second)
    groups = [folder for name in CONTROLLERS for folder in (CGROUPS / name).glob(f"anisweep-{second.name}-*")]

    second.stop()

    assert len(ours) >= 10
    assert not [process for process in ours if process.is_running()]
    assert not [folder for folder in groups if folder.exists()]
    assert not second.folder.exists()
    assert second.name not in Path("/proc/self/mountinfo").read_text()
    assert pool.run("condor_status").returncode == 0


def test_second_pool_of_a_name_is_refused(pool: Pool) -> None:
    with pytest.raises(PoolError, match=r"make pool-stop NAME=test-\d+"):
        Pool.start(pool.name)

    assert Pool.found(pool.name) == pool


def _processes_of(pool: Pool) -> list[psutil.Process]:
    """Every process in the network of a pool, whoever started it."""
    network = os.stat(f"/proc/{pool._running('ap').pid}/ns/net").st_ino
    return [process for process in psutil.process_iter() if _network(process) == network]


def _network(process: psutil.Process) -> int:
    try:
        return os.stat(f"/proc/{process.pid}/ns/net").st_ino
    except OSError:
        return 0
