"""Features with a fit on a real pool: a bad frame, and shards that do not come home."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Iterator

import numpy as np
import pytest
from sweep import STORAGE, Sweep

from condor.pool import Pool
from examples import frame_as_text

pytestmark = pytest.mark.fault

CHTC = ("snakemake", "--profile", "chtc", "features", "--config", "features=mine")
HERE = ("snakemake", "--profile", "local", "features", "--config", "features=here")

FRAMES = 400
BAD = 250
SHARDS = 2

#: What a job asks for, and what HTCondor saw, where it can measure that.
MEMORY = re.compile(r"Memory \(MB\) +: +(\d+) +(\d+)")

ASKED = """
file: mine.xyz
output: {output}
orientations: c_q
diameters: [3.0, 3.0, 1.0]
hypers: {{max_angular: 4, max_radial: 3, cutoff_radius: 7.0, radial_gaussian_width: 1.5}}
target_minutes: {minutes}
instruction_set: portable
fit: {{alpha: 1.0e-6}}
"""


@pytest.fixture
def sweep(pool: Pool, image: str) -> Iterator[Sweep]:
    """A clone that asks for a fit in two shards, which are too large for the site to come home."""
    made = Sweep.on(pool, "large")
    site = made.root / "condor" / "site.yaml"
    site.write_text(site.read_text() + f"large_outputs: {{url: 'file://{STORAGE}', above_mb: 0.1}}\n")
    for name in ("mine", "here"):
        file = made.root / "config" / "features" / f"{name}.yaml"
        file.parent.mkdir(exist_ok=True)
        file.write_text(ASKED.format(output=f"{name}.json", minutes=0.0025))
        pool.give(file.parent)
    yield made
    shutil.rmtree(made.root)


def test_a_bad_frame_is_named_once_and_large_shards_stay_where_all_nodes_see_them(
    sweep: Sweep, pool: Pool
) -> None:
    write_frames(sweep, bad=BAD)
    said = sweep.run(*CHTC, status=1)
    place = rf"mine\.xyz, frame {BAD} \(from line {4 * BAD + 1} on\), array c_q"
    assert re.search(rf"frames 200 to 399 of mine\.xyz: {place}", said)
    ended_with_65 = [record for record in sweep.job_records() if record["end"] == "failed permanently"]
    assert len(ended_with_65) == 1
    assert max(sweep.executions().values()) == 1

    write_frames(sweep)
    sweep.run(*CHTC)
    shards = sorted(sweep.root.glob("results/features/mine/shards/*.npz"))
    there = pool.on("ep1", "ls", f"{STORAGE}/mine").stdout.split()
    assert len(shards) == SHARDS
    assert {shard.name for shard in shards} <= set(there)
    assert all("large" in np.load(shard) for shard in shards)

    sweep.run(*HERE)
    assert weights(sweep, "mine") == weights(sweep, "here")
    for used, asked in MEMORY.findall(
        "".join(log.read_text() for log in sweep.root.glob("results/batches/*/events.log"))
    ):
        assert int(used) <= int(asked)


def write_frames(sweep: Sweep, bad: int | None = None) -> None:
    """Write the user's file, with labels; one frame may have a quaternion of zeros."""
    assert sweep.pool is not None
    frames = [labelled(number) for number in range(FRAMES)]
    if bad is not None:
        frames[bad] = frames[bad].replace(" 0.6 0.8 0 0 ", " 0 0 0 0 ")
    file = sweep.root / "mine.xyz"
    file.write_text("".join(frames))
    sweep.pool.give(file)


def labelled(number: int) -> str:
    """A frame with an energy, and forces that are opposite."""
    count, header, *particles = frame_as_text(number).splitlines()
    force = np.sin(number)
    header = header.replace(":R:4", ":R:4:forces:R:3") + f" energy={np.cos(number)}"
    ends = [f"{sign * force} 0 0" for sign in (1, -1)]
    lines = [f"{particle} {end}" for particle, end in zip(particles, ends, strict=True)]
    return "\n".join([count, header, *lines]) + "\n"


def weights(sweep: Sweep, name: str) -> object:
    """What the model of a name learned, and from how much."""
    model = json.loads((sweep.root / f"{name}.json").read_text())
    del model["provenance"], model["sha256"]  # which names the hosts, too
    return model
