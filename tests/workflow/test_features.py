"""`snakemake --profile local features`: each shard is computed once, joined they are as of one process."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path

import numpy as np
import pytest

from anisweep.descriptors.kernels import loader
from anisweep.features.job import CORE_TYPES
from clone import Clone
from examples import frame_as_text

RUN = ("snakemake", "--profile", "local", "features", "--config", "features=mine")
LEVEL = loader.compiled_levels()[:2][-1]
FRAMES = 3000


@pytest.fixture
def clone(tmp_path: Path) -> Clone:
    """A project whose file is to be described in four shards."""
    made = Clone.of_the_tree(tmp_path / "a project")
    (made.root / "mine.xyz").write_text("".join(map(frame_as_text, range(FRAMES))))
    made.run("anisweep", "features", "new", "mine", "mine.xyz")
    file = made.root / "config" / "features" / "mine.yaml"
    file.write_text(file.read_text().replace("target_minutes: 10", "target_minutes: 0.008"))
    return made


def shards(clone: Clone) -> dict[str, int]:
    """When each shard was written."""
    folder = clone.root / "results" / "features" / "mine" / "shards"
    return {file.name: file.stat().st_mtime_ns for file in folder.glob("[!.]*.npz")}


def assert_as_one_process_writes(clone: Clone, whole: str) -> None:
    options = ("--diameters", "[3, 3, 1]", "-o", whole)
    pinned = {"ANISWEEP_LEVEL": LEVEL, "OPENBLAS_CORETYPE": CORE_TYPES[LEVEL]}
    clone.run("anisweep", "describe", "mine.xyz", *options, **pinned)

    merged = clone.root / "results" / "features" / "mine" / "features.npz"
    with np.load(clone.root / whole) as one, np.load(merged) as other:
        for name in set(one.files) - {"provenance"}:
            assert one[name].tobytes() == other[name].tobytes(), name


def test_features_are_those_of_one_process_and_appended_frames_compute_their_shard(clone: Clone) -> None:
    clone.run(*RUN)
    before = shards(clone)
    assert len(before) == 4
    assert_as_one_process_writes(clone, "whole.npz")

    os.utime(clone.root / "mine.xyz")
    assert "all computed" in clone.run(*RUN)
    assert shards(clone) == before

    with (clone.root / "mine.xyz").open("a") as file:
        file.write("".join(map(frame_as_text, range(FRAMES, FRAMES + 10))))
    clone.run(*RUN)

    after = shards(clone)
    assert len(after) == 5
    assert before.items() < after.items()
    assert_as_one_process_writes(clone, "appended.npz")


def test_a_killed_run_goes_on_with_the_shards_that_it_has(clone: Clone) -> None:
    process = clone.start(*RUN, "--cores", "1")
    while not shards(clone):
        assert process.poll() is None, process.communicate()[0]
        time.sleep(0.05)
    process.send_signal(signal.SIGKILL)
    process.wait()
    time.sleep(1.0)  # the job that it has left ends
    before = shards(clone)

    clone.run(*RUN)

    assert before.items() <= shards(clone).items()
    assert len(shards(clone)) == 4
    assert_as_one_process_writes(clone, "whole.npz")
