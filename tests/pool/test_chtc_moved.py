"""A clone that is moved or copied while its packs are under way: nothing is lost, and nothing runs twice."""

from __future__ import annotations

import os
import re
import shutil
from concurrent.futures import Future
from dataclasses import replace

import pytest
from jobs import wait_for
from sweep import WHEN_READY, Scenario, Sweep, ended

pytestmark = pytest.mark.fault


def moved_and_linked(sweep: Sweep) -> None:
    """What ends meanwhile is imported, nothing else goes out, and after the remedy all goes on."""
    _submit(sweep)
    there = _move(sweep)

    wait_for(lambda: "1 completed" in there.run("anisweep", "status"), "what has ended is not imported")
    assert len(sweep.queue()) == 2
    for command in (there.measuring(), ("anisweep", "submit", "--controller", "study=everything")):
        said = there.run(*command, status=1)
        assert f"packs under way were submitted at {sweep.there}" in said
    assert len(there.batches()) == 1

    remedy = re.search(r"make a link: (.*)$", there.run("anisweep", "status"), re.MULTILINE)
    assert remedy is not None
    _shell(sweep, remedy[1])
    assert "submitted at" not in there.run("anisweep", "status")

    run = there.start(*there.measuring())
    sweep.ready()
    said = ended(run)
    assert run.returncode == 0, said
    assert len(there.batches()) == 1
    assert there.ends() == {"completed": 3}
    assert set(there.successes().values()) == {1}
    assert sweep.queue() == []


def moved_and_taken_back(sweep: Sweep) -> None:
    """Jobs are found by the number of their batch; the queue says that they have gone, for no log does."""
    _submit(sweep)
    there = _move(sweep)

    said = there.run("anisweep", "cancel", "--all")
    assert "packs that are under way cancelled" in said
    wait_for(lambda: sweep.queue() == [], "jobs stay in the queue")
    wait_for(lambda: "Nothing is under way" in there.run("anisweep", "status"), "they stay under way")

    done = there.ends()
    assert set(done) <= {"completed", "cancelled"}
    there.submits()
    there.measure()
    assert there.ends() == {"completed": 3, "cancelled": done["cancelled"]}


def copied(sweep: Sweep) -> None:
    """The jobs stay those of the first clone; its copy takes nothing, and submits nothing."""
    _submit(sweep)
    there = replace(sweep, root=sweep.root.with_name(f"{sweep.root.name} again"))
    shutil.copytree(sweep.root, there.root, symlinks=True)
    assert sweep.pool is not None
    sweep.pool.give(there.root)

    assert f"This is a copy of {sweep.there}" in there.run("anisweep", "status")
    assert f"This is a copy of {sweep.there}" in there.measure(status=1)
    assert f"This is a copy of {sweep.there}" in there.run("anisweep", "cancel", "--all", status=1)

    sweep.ready()
    wait_for(lambda: "Nothing is under way" in sweep.run("anisweep", "status"), "packs did not complete")
    there.run("anisweep", "status")
    sweep.check_complete(packs=3)
    assert there.digests() == {}


SCENARIOS = [moved_and_linked, moved_and_taken_back, copied]


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda scenario: scenario.__name__)
def test_moved(scenario: Scenario, beside: dict[Scenario, Future[None]]) -> None:
    beside[scenario].result()


def _submit(sweep: Sweep) -> None:
    """Three packs without a controller, of which one runs and two wait."""
    sweep.submits(requirements=f"MY.ProcId =?= 0 || {WHEN_READY}")
    sweep.run("anisweep", "submit", "study=everything")
    wait_for(lambda: sweep.executions().total() > 0, "no pack started")


def _move(sweep: Sweep) -> Sweep:
    moved = replace(sweep, root=sweep.root.with_name(f"{sweep.root.name} elsewhere"))
    os.rename(sweep.root, moved.root)
    return moved


def _shell(sweep: Sweep, line: str) -> None:
    assert sweep.pool is not None
    done = sweep.pool.run("sh", "-c", line)
    assert done.returncode == 0, done.stdout + done.stderr
