"""Fit a large file with forces in the same shards on the pool and on one machine: bits, time and memory."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path

from benchmarks.pool.described import PROLOGUE, ask, write_file
from benchmarks.pool.events import Story
from benchmarks.pool.stage import Stage
from condor.pool.pool import PROJECT

FIT = "fit: {features: power_spectrum}\n"

#: Into at most so many the file is cut; a frame takes a job less than these microseconds.
SHARDS, FRAME_US = 16, 670

#: What a machine computes with that is no execute point.
KERNELS = "src/anisweep/descriptors/kernels"


@dataclass(frozen=True)
class Fitted:
    """One fit on the pool, and the same on one machine.

    Attributes
    ----------
    pool_s, here_s : from the command to its end
    job_mb : the most memory of a job, as HTCondor saw it
    pool_mb, here_mb : the largest process beside jobs: plan, cut and join; here shards, too
    same : whether both models are the same, bit for bit
    load : of the machine, over the last minute
    """

    frames: int
    shards: int
    pool_s: float
    here_s: float
    job_mb: float
    pool_mb: float
    here_mb: float
    same: bool
    load: float


def fit(stage: Stage, frames: int) -> Fitted:
    """Fit a file with energies and forces on the pool, and then here."""
    write_file(stage, frames)
    prologue = stage.clone / "condor" / "chtc" / "prologue.sh"
    sleeping = prologue.read_text()
    shutil.copyfile(PROLOGUE, prologue)  # these jobs compute
    _bring_kernels(stage)
    stage.forget_results()
    shutil.rmtree(stage.clone / "results" / "features", ignore_errors=True)

    for name in ("pool", "here"):
        ask(stage, name, frames * FRAME_US / 6e7 / SHARDS, FIT)
    pool_s, pool_mb = _timed(stage, "chtc", "pool")
    here_s, here_mb = _timed(stage, "local", "here")
    prologue.write_text(sleeping)

    story = Story.of(stage.clone.glob("results/batches/[!.]*/events.log"))
    return Fitted(
        frames=frames,
        shards=len(list(stage.clone.glob("results/features/pool/shards/[!.]*.npz"))),
        pool_s=pool_s,
        here_s=here_s,
        job_mb=story.memory_mb,
        pool_mb=pool_mb,
        here_mb=here_mb,
        same=_learned(stage, "pool") == _learned(stage, "here"),
        load=os.getloadavg()[0],
    )


def _bring_kernels(stage: Stage) -> None:
    """Give the clone the compiled kernels of this tree, which belong to no clone."""
    for file in (PROJECT / KERNELS).glob("*.so"):
        shutil.copy2(file, stage.clone / KERNELS)
    stage.pool.give(stage.clone / KERNELS)


def _timed(stage: Stage, profile: str, name: str) -> tuple[float, float]:
    """Return the seconds of a run, and the megabytes of the largest process that it waited for.

    Raises
    ------
    RuntimeError
        when it fails; what it said has been shown
    """
    command = ("snakemake", "--profile", profile, "features", "--config", f"features={name}")
    began = time.time()
    run = subprocess.Popen(stage.command(*command), stdin=subprocess.DEVNULL)
    _, status, usage = os.wait4(run.pid, 0)
    run.returncode = os.waitstatus_to_exitcode(status)
    if run.returncode:
        raise RuntimeError(f"{' '.join(command)}: status {run.returncode}")
    return time.time() - began, usage.ru_maxrss / 1024


def _learned(stage: Stage, name: str) -> object:
    """Return what a model says but for its hosts: JSON has all digits."""
    model = json.loads(Path(stage.clone, "results", "features", name, "model.json").read_text())
    return {key: value for key, value in model.items() if key not in ("provenance", "sha256")}
