"""Time packs that sleep, from the command to the last verified artifact, beside a cluster written by hand."""

from __future__ import annotations

from functools import partial
from pathlib import Path

from benchmarks.pool.prepared import prepare
from benchmarks.pool.stage import Stage
from benchmarks.pool.timing import Run, timed
from benchmarks.pool.upstream import run_upstream

#: What a user writes who knows HTCondor well. The jobs run the same commands as the executor's.
BY_HAND = """\
universe = container
container_image = {image}
container_is_common = true
request_cpus = 1
request_memory = 512MB
request_disk = 1536MB
executable = pack.sh
arguments = $(pack)
should_transfer_files = YES
preserve_relative_paths = true
transfer_input_files = results/packs/$(pack).json, {shared}
transfer_output_files = results/artifacts/$(pack).tar.gz
log = events.log
output = results/logs/$(pack).log
error = results/logs/$(pack).log
queue pack from packs.txt
"""

PACK = """\
#!/usr/bin/env bash
set -euo pipefail
mkdir -p results/artifacts results/logs
. ./condor/chtc/prologue.sh
anisweep run-pack "results/packs/$1.json" "results/artifacts/$1.tar.gz" | tee "results/logs/$1.log"
"""


def compare(stage: Stage, packs: int, pairs: int) -> list[Run]:
    """Run both in turn, each first every other time; then the upstream plugin, once."""
    run_executor(stage, 4)  # data sets, wheel, and the caches of both nodes
    by_hand = stage.clone / "by-hand"
    prepare_by_hand(stage, by_hand, packs)
    contenders = [partial(run_by_hand, stage, by_hand, packs), partial(run_executor, stage, packs)]
    runs = []

    for _ in range(pairs):
        contenders.reverse()
        runs += [_said(run()) for run in contenders]
    return [*runs, _said(run_upstream(stage, packs))]


def run_executor(stage: Stage, packs: int) -> Run:
    """The project's own command on a tree without results: plan, packs, submission, artifacts."""
    stage.forget_results()
    command = stage.command(*stage.controller(packs))
    return timed(stage, "executor", packs, command, stage.clone, stage.image)


def prepare_by_hand(stage: Stage, folder: Path, packs: int) -> None:
    """A folder in which `condor_submit` and nothing else is to be done."""
    shared = ", ".join(prepare(stage, folder, packs))
    (folder / "packs.sub").write_text(BY_HAND.format(image=stage.image, shared=shared))
    (folder / "pack.sh").write_text(PACK)
    stage.pool.give(folder)


def run_by_hand(stage: Stage, folder: Path, packs: int) -> Run:
    """`condor_submit`, and wait."""
    (folder / "events.log").unlink(missing_ok=True)
    for artifact in (folder / "results" / "artifacts").iterdir():
        artifact.unlink()

    script = f"cd {folder.name} && condor_submit -terse packs.sub && condor_wait events.log"
    return timed(stage, "by hand", packs, stage.command("sh", "-c", script), folder, stage.image)


def _said(run: Run) -> Run:
    parts = (run.before_s, run.waiting_s, run.working_s, run.completed_s)
    sum_of = " + ".join(f"{part:.1f}" for part in parts)
    print(
        f"  {run.contender:9} {run.packs} packs: {run.whole_s:.1f} s = {sum_of}; load {run.load:.1f}",
        flush=True,
    )
    return run
