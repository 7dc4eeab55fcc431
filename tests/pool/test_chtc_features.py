"""`snakemake --profile chtc features` on a real pool: each shard counts once, as if nothing had broken."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from jobs import wait_for
from sweep import WHEN_READY, Sweep, ended, program, wait_while

from anisweep.features.job import CORE_TYPES
from condor.pool import Pool
from examples import frame_as_text

pytestmark = pytest.mark.fault

RUN = ("snakemake", "--profile", "chtc", "features", "--config", "features=mine")

#: The level that every machine can run. A job whose image has older kernels compiles these alone.
LEVEL = "portable"
FRAMES = 3300
APPENDED = 10
SHARDS = 6


@pytest.fixture
def sweep(pool: Pool, image: str) -> Iterator[Sweep]:
    """A clone with a file that is to be described in six shards, one of which may start at once."""
    made = Sweep.on(pool, "features")
    write_frames(made, range(FRAMES))
    made.run("anisweep", "features", "new", "mine", "mine.xyz")
    file = made.root / "config" / "features" / "mine.yaml"
    asked = file.read_text().replace("target_minutes: 10", "target_minutes: 0.006")
    file.write_text(re.sub("instruction_set: avx2", f"instruction_set: {LEVEL}", asked))
    made.submits(requirements=f"MY.ProcId =?= 0 || {WHEN_READY}")
    yield made
    shutil.rmtree(made.root)


def test_whatever_breaks_each_shard_counts_once(sweep: Sweep, pool: Pool) -> None:
    """The controller is killed twice, an execute point once, and a shard is damaged in the inbox."""
    kill_when_a_shard_runs(sweep)
    try:
        kill_when_an_execute_point_has_died(sweep, pool)
        damage_one_that_arrived(sweep)
        sweep.run(*RUN)
    finally:
        pool.restart("ep1")

    assert sweep.ends() == {"completed": SHARDS, "damaged": 1}
    assert sorted(sweep.successes().values()) == [1] * (SHARDS - 1) + [2]
    assert sweep.queue() == []
    before = shards(sweep)
    assert len(before) == SHARDS
    assert not pieces(sweep)
    assert_as_one_process_writes(sweep, FRAMES)

    write_frames(sweep, range(FRAMES, FRAMES + APPENDED))
    sweep.submits()
    submit_without_a_controller(sweep)
    assert "all computed" in sweep.run(*RUN)

    assert len(shards(sweep) - before) == 1
    assert_as_one_process_writes(sweep, FRAMES + APPENDED)


def kill_when_a_shard_runs(sweep: Sweep) -> None:
    """kill -9 of the first controller, while the one shard that may start runs."""
    run = sweep.start(*RUN)
    wait_while(run, lambda: len(sweep.queue()) + sweep.ends().total() == SHARDS, "not all were submitted")
    wait_while(run, lambda: sweep.executions().total() > 0, "no shard started")
    program(run).kill()
    ended(run)


def kill_when_an_execute_point_has_died(sweep: Sweep, pool: Pool) -> None:
    """A second controller, all shards may start, the power cut of the machine of some, and kill -9."""
    run = sweep.start(*RUN)
    sweep.ready()
    wait_while(run, lambda: "slot1_1@ep1" in events(sweep), "no shard started on ep1")
    pool.kill("ep1")
    wait_while(run, lambda: len(shards(sweep)) > 1, "no shard completed")
    program(run).kill()
    assert "Submitted" not in ended(run)


def damage_one_that_arrived(sweep: Sweep) -> None:
    """A byte flips in the inbox, when all jobs have ended and nobody has looked."""
    wait_for(lambda: sweep.successes().total() == SHARDS, "the shards did not end")
    victim = min(sweep.batches()[0].glob("inbox/*.npz"))
    content = bytearray(victim.read_bytes())
    content[len(content) // 2] ^= 1
    victim.write_bytes(content)


def submit_without_a_controller(sweep: Sweep) -> None:
    """The one shard that appended frames make; it is known to `status` until it has come."""
    assert "Submitted 1 job as cluster" in sweep.run("anisweep", "submit", "features=mine")
    assert "1 under way" in sweep.run("anisweep", "plan", "features=mine", "site=chtc")
    wait_for(lambda: "Nothing is under way" in sweep.run("anisweep", "status"), "the shard did not complete")


def assert_as_one_process_writes(sweep: Sweep, frames: int) -> None:
    """Each array of the merged file is that of one `anisweep describe`, bit for bit."""
    whole = f"whole-{frames}.npz"
    options = ("--diameters", "[3, 3, 1]", "-o", whole)
    pinned = {"ANISWEEP_LEVEL": LEVEL, "OPENBLAS_CORETYPE": CORE_TYPES[LEVEL]}
    sweep.run("anisweep", "describe", "mine.xyz", *options, **pinned)

    merged = sweep.root / "results" / "features" / "mine" / "features.npz"
    with np.load(sweep.root / whole) as one, np.load(merged) as other:
        for name in set(one.files) - {"provenance"}:
            assert one[name].tobytes() == other[name].tobytes(), name
        told = json.loads(str(other["provenance"]))["shards"]
    assert sum(each["frames"] for each in told) == frames


def write_frames(sweep: Sweep, numbers: range) -> None:
    """Append frames to the user's file."""
    assert sweep.pool is not None
    file = sweep.root / "mine.xyz"
    with file.open("a") as stream:
        stream.write("".join(map(frame_as_text, numbers)))
    sweep.pool.give(file)


def shards(sweep: Sweep) -> set[str]:
    return names(sweep, "shards")


def pieces(sweep: Sweep) -> set[str]:
    """The frames of shards that lie about for jobs."""
    return names(sweep, "pieces")


def names(sweep: Sweep, kind: str) -> set[str]:
    folder: Path = sweep.root / "results" / "features" / "mine" / kind
    return {file.name for file in folder.glob("[!.]*")}


def events(sweep: Sweep) -> str:
    return "".join(file.read_text() for file in sweep.root.glob("results/batches/[!.]*/events.log"))
