"""Whatever happens to controllers and packs: each pack succeeds once, nothing is lost, nothing is left over.

All of it side by side on one pool; what breaks a node is in test_broken_nodes.py.
"""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import time
from concurrent.futures import Future
from pathlib import Path

import pytest
from jobs import wait_for
from sweep import WHEN_READY, Scenario, Sweep, ended, program, wait_while

from anisweep.artifacts import reading
from condor.pool import why_no_memory_limits

pytestmark = pytest.mark.fault

DIES = Path(__file__).with_name("dies.py")

#: Instants at which a controller dies: just before or after the call of a function with this number.
INSTANTS = {
    "before_the_batch_is_written": ("snakemake_executor_plugin_condorsweep.batch:Batch.write", "before 1"),
    "before_the_submission": ("snakemake_executor_plugin_condorsweep.schedd:submit", "before 1"),
    "after_the_submission": ("snakemake_executor_plugin_condorsweep.schedd:submit", "after 1"),
    "before_an_artifact_is_accepted": ("anisweep.artifacts.writing:put", "before 2"),
    "after_an_artifact_is_accepted": ("anisweep.artifacts.writing:put", "after 2"),
    "after_all_completed": ("snakemake_executor_plugin_condorsweep.executor:Executor.shutdown", "before 1"),
}


def killed(instant: str) -> Scenario:
    """kill -9 of the controller at an instant; the next run makes the rest, and no pack runs twice."""
    function, when = INSTANTS[instant]

    def scenario(sweep: Sweep) -> None:
        _, *arguments = sweep.measuring()
        sweep.run("python", str(DIES), function, when, *arguments, status=-signal.SIGKILL)

        sweep.measure()

        sweep.check_complete(packs=3)
        assert set(sweep.executions().values()) == {1}

    scenario.__name__ = f"killed_{instant}"
    return scenario


def killed_and_all_complete_meanwhile(sweep: Sweep) -> None:
    run = sweep.start(*sweep.measuring())
    _started(sweep, run)
    program(run).kill()
    wait_for(lambda: sweep.successes().total() == 3, "the packs did not end")

    said = sweep.measure()

    assert "all measured: nothing to measure" in said
    sweep.check_complete(packs=3)
    assert set(sweep.executions().values()) == {1}


def detached(number: signal.Signals) -> Scenario:
    """SIGTERM and SIGHUP end the controller at once; its packs go on."""

    def scenario(sweep: Sweep) -> None:
        first = sweep.start(*sweep.measuring())
        _started(sweep, first)
        program(first).send_signal(number)
        said = ended(first)

        assert first.returncode == 128 + number
        assert f"{number.name}: 3 jobs stay in the queue" in said

        said = sweep.measure()
        assert "Submitted" not in said
        sweep.check_complete(packs=3)
        assert set(sweep.executions().values()) == {1}

    scenario.__name__ = f"{number.name}_detaches"
    return scenario


def ctrl_c_takes_the_packs_back(sweep: Sweep) -> None:
    first = sweep.start(*sweep.measuring())
    _started(sweep, first)
    program(first).send_signal(signal.SIGINT)
    said = ended(first)

    assert first.returncode != 0
    assert "Removed 3 jobs from the queue" in said
    wait_for(lambda: sweep.queue() == [], "jobs stay in the queue")
    assert sweep.digests() == {}

    said = sweep.measure()
    assert "Submitted 3 jobs" in said
    sweep.check_complete(packs=3)


def evicted(sweep: Sweep) -> None:
    """The pack starts again."""
    run = sweep.start(*sweep.measuring())
    job = _started(sweep, run)
    _condor(sweep, "condor_vacate_job", "-fast", job)
    _finish(run)

    sweep.check_complete(packs=3)
    assert sorted(sweep.executions().values()) == [1, 1, 2]


def removed_by_hand(sweep: Sweep) -> None:
    """That pack has failed permanently, in words; the others complete; `retry=True` asks for it again."""
    run = sweep.start(*sweep.measuring())
    _condor(sweep, "condor_rm", _started(sweep, run))
    said = _finish(run, status=1)

    again = "snakemake --profile chtc --config study=everything retry=True"
    left = "1 of 3 cells has no measurement (1 failed)"
    assert _last_line(said) == f"{left}. To try again: {again}"

    assert sweep.ends() == {"completed": 2, "failed permanently": 1}
    (reason,) = _reasons(sweep)
    assert reason.startswith("pack failed permanently: removed from the queue")
    assert sweep.queue() == []

    said = sweep.measure(status=1)
    assert "all measured" not in said
    assert left in _last_line(said)

    sweep.measure("retry=True")
    assert sweep.ends() == {"completed": 3, "failed permanently": 1}
    assert set(sweep.successes().values()) == {1}


def cancelled_while_a_controller_runs(sweep: Sweep) -> None:
    """The controller hears of it, and ends when the other packs have completed."""
    sweep.submits(requirements=WHEN_READY)
    run = sweep.start(*sweep.measuring())
    wait_while(run, lambda: len(sweep.queue()) == 3, "the packs are not in the queue")
    pack = json.loads((sweep.batches()[0] / "batch.json").read_text())["entries"][1]["name"]
    sweep.run("anisweep", "cancel", pack)
    sweep.ready()

    said = _finish(run, status=1)

    assert f"{pack}: cancelled: anisweep cancel" in said
    assert sweep.ends() == {"completed": 2, "cancelled": 1}


def held_by_hand(sweep: Sweep) -> None:
    """Nobody but who held it ends the hold."""
    run = sweep.start(*sweep.measuring())
    job = _started(sweep, run)
    _condor(sweep, "condor_hold", job)
    wait_while(run, lambda: sweep.ends()["completed"] == 2, "the others did not complete")

    assert run.poll() is None
    assert sweep.queue() == [f"{job} 5"]
    assert "held by hand" in sweep.run("anisweep", "status")

    _condor(sweep, "condor_release", job)
    _finish(run)
    sweep.check_complete(packs=3)
    assert sorted(sweep.executions().values()) == [1, 1, 2]


def input_is_missing(sweep: Sweep) -> None:
    """Gone when the jobs are to start: two more attempts, then the end in words; put back, it goes on."""
    sweep.submits(requirements=WHEN_READY, transfer_wait_s=1)
    run = sweep.start(*sweep.measuring())
    wait_while(run, lambda: len(sweep.queue()) == 3, "nothing was submitted")
    (data,) = (sweep.root / "data").glob("*.xyz")
    kept = data.rename(data.with_suffix(".kept"))

    sweep.ready()
    said = _finish(run, status=1)

    assert "3 of 3 cells have no measurement (3 failed)" in _last_line(said)
    assert sweep.ends() == {"failed permanently": 3}
    words = "an input or the image is missing here: put it back"
    assert [words in reason for reason in _reasons(sweep)] == [True] * 3
    assert {hold["code"] for record in sweep.job_records() for hold in record["holds"]} == {13}

    kept.rename(data)
    sweep.submits()
    sweep.measure("retry=True")
    assert sweep.ends() == {"failed permanently": 3, "completed": 3}
    assert sweep.queue() == []


def too_little_memory(sweep: Sweep) -> None:
    """HTCondor's own retry asks for more, and the pack completes."""
    _needs_memory_limits()
    sweep.measure("replicates=1", "modes=[eats]")

    sweep.check_complete(packs=1)
    assert set(sweep.executions().values()) == {2}


def too_little_memory_for_good(sweep: Sweep) -> None:
    """Where more is not to be had: the end, in words."""
    _needs_memory_limits()
    sweep.submits(most_memory="2GB")

    sweep.measure("replicates=1", "modes=[eats]", status=1)

    assert sweep.ends() == {"failed permanently": 1}
    (reason,) = _reasons(sweep)
    assert "it used more memory than it had asked for" in reason
    assert sweep.queue() == []


def altered_on_the_way(sweep: Sweep) -> None:
    """A byte flips between arrival and acceptance: that pack is measured again, and only that."""
    run = sweep.start(*sweep.measuring())
    _started(sweep, run)
    program(run).suspend()
    wait_for(lambda: sweep.successes().total() == 3, "the packs did not end")

    victim = min(sweep.batches()[0].glob("inbox/*.tar.gz"))
    content = bytearray(victim.read_bytes())
    content[len(content) // 2] ^= 1
    victim.write_bytes(content)
    for process in (program(run).pid, run.pid):  # nsenter stops with its child
        os.kill(process, signal.SIGCONT)
    said = _finish(run)

    assert "arrived damaged" in said
    assert sweep.ends() == {"damaged": 1, "completed": 3}
    assert sorted(sweep.successes().values()) == [1, 1, 2]
    assert len(sweep.digests()) == 3
    for artifact in sweep.artifacts.glob("[!.]*.tar.gz"):
        assert {row.status for row in reading.read(artifact).rows} == {"ok"}


def input_from_the_future(sweep: Sweep) -> None:
    """Clocks that differ: a data set that seems newer than its artifacts."""
    sweep.measure("replicates=1")
    (data,) = (sweep.root / "data").glob("*.xyz")
    tomorrow = time.time() + 86400
    os.utime(data, (tomorrow, tomorrow))

    said = sweep.measure(status=1)  # Snakemake wants the clocks mended, and lets go of the artifacts
    assert "clock skew" in said

    assert "nothing to measure" in sweep.measure()
    sweep.check_complete(packs=3)
    assert set(sweep.executions().values()) == {1}


def a_thousand_packs_are_one_cluster(sweep: Sweep) -> None:
    """Of four data sets, with Snakemake's default rate limit."""
    sweep.submits(requirements=WHEN_READY)
    names = ("one_species", "two_species", "three_species", "four_species")
    datasets = ", ".join(f"{name}: {{frames: 1}}" for name in names)
    many = ("replicates=250", "packing=cell", f"datasets={{{datasets}}}")

    # Jobs that are ready much later, as on a busy machine, go into a submission of their own.
    sweep.measure(*many, "--until", "prepare_dataset", status=1)

    run = sweep.start(*sweep.measuring(*many))
    wait_while(run, lambda: len(sweep.queue()) == 1000, "not all were submitted")
    program(run).send_signal(signal.SIGINT)
    said = ended(run)

    assert "Submitted 1,000 jobs" in said
    assert len(sweep.batches()) == 1
    wait_for(lambda: sweep.queue() == [], "jobs stay in the queue")


SCENARIOS = [
    *map(killed, INSTANTS),
    killed_and_all_complete_meanwhile,
    detached(signal.SIGTERM),
    detached(signal.SIGHUP),
    ctrl_c_takes_the_packs_back,
    evicted,
    removed_by_hand,
    cancelled_while_a_controller_runs,
    held_by_hand,
    input_is_missing,
    too_little_memory,
    too_little_memory_for_good,
    altered_on_the_way,
    input_from_the_future,
    a_thousand_packs_are_one_cluster,
]


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda scenario: scenario.__name__)
def test_fault(scenario: Scenario, beside: dict[Scenario, Future[None]]) -> None:
    beside[scenario].result()


def _started(sweep: Sweep, run: subprocess.Popen[str]) -> str:
    """The first job that has started, as HTCondor's commands take it."""
    wait_while(run, lambda: sweep.executions().total() > 0, "no pack started")
    (batch,) = sweep.batches()
    found = re.search(r"^001 \(0*(\d+)\.0*(\d+)\.", (batch / "events.log").read_text(), re.MULTILINE)
    assert found is not None
    return f"{found[1]}.{found[2]}"


def _condor(sweep: Sweep, *command: str) -> None:
    assert sweep.pool is not None
    done = sweep.pool.run(*command)
    assert done.returncode == 0, done.stdout + done.stderr


def _finish(run: subprocess.Popen[str], status: int = 0) -> str:
    """Wait for the end of a run. Returns what it said."""
    said = ended(run)
    assert run.returncode == status, said
    return said


def _last_line(said: str) -> str:
    return said.rstrip().splitlines()[-1]


def _reasons(sweep: Sweep) -> list[str]:
    """Why the cells of packs that failed permanently have no values."""
    artifacts = sorted(sweep.artifacts.glob("[!.]*.tar.gz"))
    return [row.reason for each in artifacts for row in reading.read(each).rows if row.status == "failed"]


def _needs_memory_limits() -> None:
    if why_no_memory_limits():
        pytest.skip(why_no_memory_limits())
