"""Time `snakemake --profile chtc features` on 1, 2 and 4 slots, and split the time by HTCondor's log."""

from __future__ import annotations

import os
import re
import shutil
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from benchmarks.pool.events import Story
from benchmarks.pool.stage import Stage
from condor.pool.pool import PROJECT

#: What jobs read first that do not sleep.
PROLOGUE = PROJECT / "condor" / "chtc" / "prologue.sh"

#: Two ellipsoids, with labels for fits.
FRAME = """\
2
Properties=species:S:1:pos:R:3:c_q:R:4:forces:R:3 energy={energy:.6f} pbc="F F F"
X 0 0 0 1 0 0 0 {force:.6f} 0 0
X {away:.6f} 0 {aside:.6f} 0.6 0.8 0 0 {back:.6f} 0 0
"""

ASKED = """\
file: ellipsoids.xyz
output: results/features/{what}/{output}
diameters: [3, 3, 1]
hypers: {{radial_basis_name: gto, max_angular: 6, cutoff_radius: 7.0, radial_gaussian_width: 1.5}}
target_minutes: {minutes}
instruction_set: avx2
"""

FIT = "fit: {features: pair_features}\n"

#: Into about so many a file is cut.
SHARDS = 8


@dataclass(frozen=True)
class Described:
    """One run of the same file in the same shards. HTCondor's times are whole seconds.

    Attributes
    ----------
    what : ``features``, or ``fit``
    slots : how many jobs may be in the queue, and run, at a time
    whole_s : from the command to its end
    before_s : from the command to the first job in the queue: plan, checks, the cut
    waiting_s : from there to the first job that runs
    working_s : from there to the end of the last job
    after_s : from there to the end of the command: shards are checked and merged
    run_s : of all jobs, each from its start to its end
    cpu_s : CPU time of all jobs
    load : of the machine, over the last minute of the run
    """

    what: str
    slots: int
    shards: int
    frames: int
    whole_s: float
    before_s: float
    waiting_s: float
    working_s: float
    after_s: float
    run_s: float
    cpu_s: float
    load: float


def describe(stage: Stage, frames: int, slots: Sequence[int]) -> Iterator[Described]:
    """Describe a file, and fit it, with so many slots in turn."""
    write_file(stage, frames)
    site, prologue = (stage.clone / "condor" / name for name in ("site.yaml", "chtc/prologue.sh"))
    before, sleeping = site.read_text(), prologue.read_text()
    shutil.copyfile(PROLOGUE, prologue)  # these jobs compute

    for what, microseconds in (("features", 620), ("fit", 670)):
        ask(stage, what, frames * microseconds / 6e7 / SHARDS, FIT if what == "fit" else "")
        for count in slots:
            site.write_text(re.sub("submit: .*", f"submit: {{max_materialize: {count}}}", before))
            yield _timed(stage, what, count, frames)
    site.write_text(before)
    prologue.write_text(sleeping)


def write_file(stage: Stage, frames: int) -> None:
    """Write the user's file; numbers of a seed."""
    random = np.random.default_rng(1)
    file = stage.clone / "ellipsoids.xyz"
    with file.open("w") as stream:
        for away, aside in random.uniform(2, 5, (frames, 2)):
            energy, force = 1 / away**6, 6 / away**7
            stream.write(FRAME.format(energy=energy, force=-force, back=force, away=away, aside=aside))
    stage.pool.give(file)


def ask(stage: Stage, name: str, minutes: float, fit: str) -> None:
    """Write what is asked for: features, or a model where there are lines for a fit."""
    output = "model.json" if fit else "features.npz"
    file = stage.clone / "config" / "features" / f"{name}.yaml"
    file.parent.mkdir(exist_ok=True)
    file.write_text(ASKED.format(what=name, output=output, minutes=round(minutes, 4)) + fit)
    stage.pool.give(file.parent)


def _timed(stage: Stage, what: str, slots: int, frames: int) -> Described:
    """Run the command on a quiet pool, from a tree without results.

    Raises
    ------
    RuntimeError
        with all that it said, when it fails
    """
    stage.forget_results()
    shutil.rmtree(stage.clone / "results" / "features", ignore_errors=True)
    stage.wait_until_quiet()

    command = ("snakemake", "--profile", "chtc", "features", "--config", f"features={what}")
    began = time.time()
    stage.run(*command)
    ended = time.time()

    story = Story.of(stage.clone.glob("results/batches/[!.]*/events.log"))
    run = Described(
        what=what,
        slots=slots,
        shards=story.executions,
        frames=frames,
        whole_s=ended - began,
        before_s=story.submitted - began,
        waiting_s=story.started - story.submitted,
        working_s=story.ended - story.started,
        after_s=ended - story.ended,
        run_s=story.run_s,
        cpu_s=story.cpu_s,
        load=os.getloadavg()[0],
    )
    print(f"  {what}, {slots} slots: {run.whole_s:.1f} s, {run.working_s:.0f} s of it in jobs", flush=True)
    return run
