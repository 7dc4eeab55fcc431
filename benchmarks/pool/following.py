"""Measure what it costs to follow packs, on a working pool and through the log of very many."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path

import psutil

from benchmarks.pool.stage import Stage

POLL_S = 0.5


@dataclass(frozen=True)
class Following:
    """CPU time of the controller, Snakemake included, while packs run and complete.

    Attributes
    ----------
    packs : in the queue at the beginning
    ended : that completed meanwhile
    share : of one core
    """

    packs: int
    ended: int
    seconds: float
    cpu_s: float
    share: float
    load: float


def follow(stage: Stage, packs: int, seconds: float) -> Following:
    """Run the project's own command, watch it for some time after its submission, and take it back.

    Raises
    ------
    RuntimeError
        when it ends before its time, or no pack completes
    """
    stage.wait_until_quiet()
    stage.forget_results()
    said = stage.clone / "said"

    with said.open("wb") as output:
        command = stage.command(*stage.controller(packs))
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=output, stderr=output)
    controller = psutil.Process(process.pid)

    _wait_for_start(stage, process, said)
    cpu_before, ended_before, started = _cpu_s(controller), _ended(stage), time.perf_counter()
    time.sleep(seconds)
    cpu, ended, passed = _cpu_s(controller), _ended(stage), time.perf_counter() - started
    load = os.getloadavg()[1]

    if process.poll() is not None:
        raise RuntimeError(f"the controller ended too early:\n{said.read_text()}")
    _snakemake(controller).send_signal(signal.SIGINT)
    process.wait()
    if ended == ended_before:
        raise RuntimeError(f"no pack has completed:\n{said.read_text()}")

    used = cpu - cpu_before
    return Following(packs, ended - ended_before, passed, used, used / passed, load)


def _wait_for_start(stage: Stage, process: subprocess.Popen[bytes], said: Path) -> None:
    """Until the first pack runs."""
    while not any("\n001 (" in log.read_text() for log in stage.clone.glob("results/batches/*/events.log")):
        if process.poll() is not None:
            raise RuntimeError(f"the controller ended before a pack ran:\n{said.read_text()}")
        time.sleep(POLL_S)


def _ended(stage: Stage) -> int:
    ledgers = stage.clone.glob("results/batches/*/job_records.jsonl")
    return sum(
        json.loads(line)["end"] == "completed" for file in ledgers for line in file.read_text().splitlines()
    )


def _snakemake(process: psutil.Process) -> psutil.Process:
    """The controller below the programs that enter its node: the first with more than one thread."""
    return next(child for child in process.children(recursive=True) if "snakemake" in child.name())


def _cpu_s(process: psutil.Process) -> float:
    """Return the CPU seconds of the controller and of its children, also those that have ended."""
    times = _snakemake(process).cpu_times()
    return float(times.user + times.system + times.children_user + times.children_system)
