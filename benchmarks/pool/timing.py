"""Time one run from its command to its last artifact, and split the time by HTCondor's log."""

from __future__ import annotations

import os
import resource
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path

from benchmarks.pool.events import Story
from benchmarks.pool.stage import Stage

#: Where the three contenders have the logs of their jobs.
LOGS = ("events.log", "results/batches/*/events.log", ".snakemake/htcondor/*.log")

#: Written when an artifact has been verified; the other contenders verify nothing.
LEDGERS = "results/batches/*/job_records.jsonl"


@dataclass(frozen=True)
class Run:
    """One run. HTCondor's times are whole seconds.

    Attributes
    ----------
    contender : who submitted the packs
    whole_s : from the command to the last artifact, verified where the contender does so
    before_s : from the command to the first job in the queue
    waiting_s : from there to the first job that runs
    working_s : from there to the end of the last job
    completed_s : from there to the last artifact
    exit_s : from there to the end of the command
    cpu_s : of the command and its children, on the access point; not of HTCondor's daemons
    executions : starts of jobs
    common_transfers : how often files that jobs share were sent to an execute point
    network_bytes : what crossed the pool's network meanwhile, messages of the daemons included
    image_bytes : of the image that its jobs run in
    load : of the machine, over the last minute of the run
    """

    contender: str
    packs: int
    whole_s: float
    before_s: float
    waiting_s: float
    working_s: float
    completed_s: float
    exit_s: float
    cpu_s: float
    executions: int
    common_transfers: int
    network_bytes: int
    image_bytes: int
    load: float


def timed(stage: Stage, contender: str, packs: int, command: list[str], project: Path, image: str) -> Run:
    """Run a command on the quiet pool; the artifacts lie in ``project`` afterwards.

    Raises
    ------
    RuntimeError
        when it fails, or an artifact is missing
    """
    stage.wait_until_quiet()
    bytes_before, cpu_before = stage.network_bytes(), _cpu_s()
    began = time.time()
    done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
    ended = time.time()
    cpu, network = _cpu_s() - cpu_before, stage.network_bytes() - bytes_before

    came = len(list((project / "results" / "artifacts").glob("*.tar.gz")))
    if done.returncode != 0 or came != packs:
        raise RuntimeError(f"{contender}: {came} of {packs} artifacts\n{done.stdout}{done.stderr}")

    completed = max((ledger.stat().st_mtime for ledger in project.glob(LEDGERS)), default=ended)
    story = Story.of(log for pattern in LOGS for log in project.glob(pattern))
    return Run(
        contender=contender,
        packs=packs,
        whole_s=completed - began,
        before_s=story.submitted - began,
        waiting_s=story.started - story.submitted,
        working_s=story.ended - story.started,
        completed_s=completed - story.ended,
        exit_s=ended - completed,
        cpu_s=cpu,
        executions=story.executions,
        common_transfers=story.common_transfers,
        network_bytes=network,
        image_bytes=int(stage.run("stat", "--format=%s", image)),
        load=os.getloadavg()[0],
    )


def _cpu_s() -> float:
    """CPU time of all commands that have ended."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime
