"""`snakemake --profile chtc` on a real pool: the main paths, side by side."""

from __future__ import annotations

import os
import re
import shutil
from collections import Counter
from concurrent.futures import Future

import numpy as np
import pandas as pd
import pytest
from jobs import wait_for
from sweep import IN_TURN, WHEN_READY, Scenario, Sweep, descriptors, ended, program, said_until, wait_while

from anisweep.artifacts import reading
from clone import Clone


def runs_over_two_execute_points(sweep: Sweep) -> None:
    """With Snakemake's tables and report; a second run submits nothing."""
    sweep.submits(requirements=IN_TURN)
    said = sweep.chtc()

    assert "Submitted 2 jobs of rule measure_pack as cluster" in said
    sweep.check_complete(packs=2)
    assert set(sweep.executions().values()) == {1}
    assert {record["host"] for record in sweep.job_records()} == {"ep1", "ep2"}

    tables = sweep.root / "results" / "tiny" / "tables"
    assert set(pd.read_csv(tables / "summary.csv")["statuses"]) == {"2 ok"}
    assert {"file", "mode", "wall_s", "N"} <= set(pd.read_csv(tables / "timings_chtc.csv"))
    assert (sweep.root / "results" / "report.html").read_text().rstrip().endswith("</html>")

    again = sweep.chtc()
    assert "all measured: nothing to measure" in again
    assert len(sweep.batches()) == 1


def submit_file_by_hand(sweep: Sweep) -> None:
    """A plain condor_submit of the files that a controller wrote gives the same artifacts."""
    sweep.measure()
    before = descriptors(sweep)
    (batch,) = sweep.batches()
    for name in ("events.log", "job_records.jsonl", "closed"):
        (batch / name).unlink()
    shutil.rmtree(sweep.artifacts)
    shutil.rmtree(sweep.root / "results" / ".anisweep")  # it would know the old artifacts by their bytes

    _by_hand(sweep, "condor_submit", f"{sweep.there}/results/batches/{batch.name}/jobs.sub")
    _by_hand(sweep, "condor_wait", "-wait", "120", f"{sweep.there}/results/batches/{batch.name}/events.log")
    said = sweep.measure()

    assert "Submitted" not in said, said
    assert sweep.batches() == [batch]
    sweep.check_complete(packs=3)
    after = descriptors(sweep)
    assert after.keys() == before.keys()
    for point, expected in before.items():
        np.testing.assert_array_equal(after[point], expected)


def pilot_and_fetch(sweep: Sweep) -> None:
    """One pack without any controller, then the rest, then all of it on another machine."""
    said = sweep.run("anisweep", "submit", "--pilot", "1", "study=everything")
    assert "1 job" in said
    assert "3 to measure in 3 packs" in said

    said = sweep.run("anisweep", "submit", "study=everything")
    assert "2 to measure in 2 packs" in said
    wait_for(lambda: "Nothing is under way" in sweep.run("anisweep", "status"), "the packs did not complete")
    sweep.check_complete(packs=3)

    laptop = Clone.of_the_tree(sweep.root.with_name("a laptop"))
    said = laptop.run("anisweep", "fetch", os.fspath(sweep.root))
    assert "3 artifacts fetched and verified" in said
    assert laptop.digests() == sweep.digests()


def controller_killed_while_packs_run(sweep: Sweep) -> None:
    """kill -9; the next run finds its packs again, and none runs twice. Two of them end when it has."""
    sweep.submits(requirements=f"MY.ProcId =?= 0 || {WHEN_READY}")
    first = sweep.start(*sweep.measuring())
    wait_while(first, lambda: sweep.executions().total() > 0, "no pack started")
    wait_while(
        first, lambda: len(sweep.queue()) + sweep.ends()["completed"] == 3, "not all packs were submitted"
    )
    program(first).kill()
    ended(first)

    second = sweep.start(*sweep.measuring())
    said = said_until(second, "under way|Submitted")
    assert re.search(r"waiting for [23] packs that are under way", said), said
    sweep.ready()
    ended(second)

    assert len(sweep.batches()) == 1
    sweep.check_complete(packs=3)
    assert set(sweep.executions().values()) == {1}


def one_cell_of_ten_fails(sweep: Sweep) -> None:
    """The other nine complete, in the same artifact."""
    names = ("ellipsoids", "benzenes", "one_species", "two_species", "four_species")
    datasets = ", ".join(f"{name}: {{frames: 1}}" for name in names)
    outputs = "outputs=[coefficients, power_spectrum]"

    said = sweep.measure("replicates=1", "modes=[raises]", outputs, f"datasets={{{datasets}}}", status=1)
    assert "1 of 10 cells has no measurement (1 failed)" in said

    (artifact,) = sweep.artifacts.glob("*.tar.gz")
    cells = [row for row in reading.read(artifact).rows if row.role == "cell"]
    assert Counter(row.status for row in cells) == {"ok": 9, "failed": 1}
    (failed,) = [row for row in cells if row.status == "failed"]
    assert (failed.dataset, failed.output) == ("four_species", "power_spectrum")
    assert "four species are too many" in failed.reason
    assert sweep.ends() == {"completed": 1}
    assert sweep.queue() == []


def hold_ends_with_words_and_a_record(sweep: Sweep) -> None:
    """The image is gone when the jobs are to start: HTCondor's two more attempts, then the end in words."""
    assert sweep.pool is not None
    image = sweep.own_image()
    sweep.submits(requirements=WHEN_READY, transfer_wait_s=1)
    run = sweep.start(*sweep.measuring("replicates=1"))
    wait_while(run, lambda: [line.split()[1] for line in sweep.queue()] == ["1"], "no job waits")

    shutil.rmtree(image.parent)
    sweep.ready()
    said = ended(run)

    assert run.returncode == 1, said
    assert "1 of 1 cell has no measurement (1 failed)" in said
    (record,) = sweep.job_records()
    assert record["end"] == "failed permanently"
    assert "image is missing here: put it back" in str(record["reason"])
    assert [hold["code"] for hold in record["holds"]] == [13, 13, 13]

    (record,) = sweep.artifacts.glob("*.tar.gz")
    (row,) = reading.read(record).rows
    assert row.status == "failed"
    assert row.reason.startswith("pack failed permanently: its input could not be sent")
    assert sweep.queue() == []


def second_controller_is_stopped(sweep: Sweep) -> None:
    """Within seconds, naming the first; who only asks is answered. No pack starts before."""
    sweep.submits(requirements=WHEN_READY)
    first = sweep.start(*sweep.measuring())
    wait_while(first, lambda: len(sweep.queue()) == 3, "not all packs were submitted")

    said = sweep.measure(status=1)
    assert first.poll() is None
    assert "Another run is measuring here: zoe on ap" in said
    assert "Traceback" not in said

    dry = sweep.run("snakemake", "-n", "--config", "study=everything", "site=chtc")
    assert "rule measure_pack" not in dry

    sweep.ready()
    said = ended(first)
    assert first.returncode == 0, said
    sweep.check_complete(packs=3)
    assert set(sweep.executions().values()) == {1}


SCENARIOS = [
    runs_over_two_execute_points,
    submit_file_by_hand,
    pilot_and_fetch,
    controller_killed_while_packs_run,
    one_cell_of_ten_fails,
    hold_ends_with_words_and_a_record,
    second_controller_is_stopped,
]


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda scenario: scenario.__name__)
def test_chtc(scenario: Scenario, beside: dict[Scenario, Future[None]]) -> None:
    beside[scenario].result()


def _by_hand(sweep: Sweep, *command: str) -> None:
    assert sweep.pool is not None
    done = sweep.pool.run(*command, cwd=sweep.there)
    assert done.returncode == 0, done.stdout + done.stderr
