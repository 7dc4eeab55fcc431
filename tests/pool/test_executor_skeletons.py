"""Skeletons of two public workflows on the real pool: whatever happens, files are those of a local run."""

from __future__ import annotations

import json
import random
import re
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import pytest
from jobs import wait_for
from toys import Controller, Toy

from condor.pool import Pool
from skeletons import Skeleton

#: What a job asks for; the pool has few processors.
REQUESTS = ("--max-threads", "1", "--default-resources", "mem_mb=100", "disk_mb=100")

#: How to run one: nothing but its own files.
OPTIONS = ("--snakefile", "skeleton.smk", "--condorsweep-accept", "", "--condorsweep-give-up", "", *REQUESTS)


def planted(pool: Pool, name: str, image: str, what_for: str = "kills") -> Toy:
    toy = Toy(pool, f"skeleton_{name}_{what_for}", image, OPTIONS)
    (toy.folder / "skeleton.smk").write_text(Skeleton.read(name).whole(image))
    _sources(toy.folder)
    return toy


def _sources(folder: Path) -> None:
    """Write the files that a workflow begins with, and the one that `conda:` names."""
    (folder / "input").mkdir(parents=True)
    (folder / "toy.yaml").touch()
    for name in ("nodes", "edges", "gold-nodes"):
        (folder / "input" / f"{name}.txt").write_text(f"{name}\n")


def made_locally(folder: Path, name: str) -> dict[str, bytes]:
    """What the workflow makes where it runs without HTCondor."""
    _sources(folder)
    (folder / "Snakefile").write_text(Skeleton.read(name).whole(""))
    command = [sys.executable, "-m", "snakemake", "--cores", "1", "--quiet", "all"]
    subprocess.run(command, cwd=folder, check=True)
    return made(folder)


def made(folder: Path) -> dict[str, bytes]:
    """All files but those of the executor, of Snakemake and of the test."""
    found = {str(file.relative_to(folder)): file for file in folder.rglob("*") if file.is_file()}
    ours = ("results/batches/", ".snakemake/")
    return {
        name: file.read_bytes()
        for name, file in found.items()
        if "/" in name
        and not name.startswith(ours)
        and not file.name.startswith((".snakemake", "accepting."))
    }


@pytest.mark.parametrize("name", ["rna_seq_star_deseq2", "spras"])
def test_skeleton_outlives_two_kills(pool: Pool, image: str, tmp_path: Path, name: str) -> None:
    expected = made_locally(tmp_path / "local", name)
    toy = planted(pool, name, image)

    for executions in (1, 5):
        controller = toy.start()
        toy.wait_for_event("001", times=executions)
        controller.signal("KILL")
    done = toy.run()

    assert done.returncode == 0, done.stderr
    assert made(toy.folder) == expected
    assert len(expected) > 20
    wait_for(lambda: not toy.jobs_in_queue(), "an orphan is in the queue")
    assert toy.events.count("\n001 (") + toy.events.startswith("001 (") == toy.events.count("\n005 (")


#: After the last thing that happens people run the same command again, so often at most.
MOST_RUNS = 4


@pytest.mark.fault
@pytest.mark.parametrize("seed", [2])
def test_skeleton_outlives_whatever_happens(pool: Pool, image: str, tmp_path: Path, seed: int) -> None:
    expected = made_locally(tmp_path / "local", "spras")
    toy, chance = planted(pool, "spras", image, f"campaign_{seed}"), random.Random(seed)

    controller = toy.start()
    for _ in range(6):
        time.sleep(chance.uniform(0.0, 5.0))
        controller = happens(toy, controller, chance)
    controller.signal("KILL")

    for _ in range(MOST_RUNS):
        told_all(toy, "condor_release")
        done = toy.run()
        if done.returncode == 0:
            break
    assert done.returncode == 0, done.stderr
    assert made(toy.folder) == expected
    assert max(successes(toy).values()) == 1, successes(toy)
    wait_for(lambda: not toy.jobs_in_queue(), "an orphan is in the queue")


def happens(toy: Toy, controller: Controller, chance: random.Random) -> Controller:
    """Let something happen; the controller that runs afterwards."""
    action = chance.choice(["KILL", "TERM", "HUP", "condor_hold", "condor_release", "condor_rm", "schedd"])

    if action == "schedd":
        toy.pool.on("ap", "condor_restart", "-fast", "-schedd")
    elif action.startswith("condor"):
        told_all(toy, action)
    else:
        controller.signal(action)
    return toy.start() if controller.process.poll() is not None else controller


def told_all(toy: Toy, command: str) -> None:
    """Give a command of HTCondor's for all jobs of the toy; the schedd may be away just now."""
    toy.pool.run(command, "-constraint", f'substr(Iwd, {-len(toy.name)}) == "{toy.name}"')


def successes(toy: Toy) -> Counter[str]:
    """How many jobs of each output have ended well; one that a schedd ran again after its end counts once."""
    counts: Counter[str] = Counter()
    for batch in toy.batches:
        outputs = [entry["output"] for entry in json.loads((batch / "batch.json").read_text())["entries"]]
        log = batch / "events.log"
        text = log.read_text() if log.exists() else ""
        well = re.findall(
            r"^005 \(\d+\.(\d+)\..*\n\s+\(1\) Normal termination \(return value 0\)", text, re.M
        )
        counts.update(outputs[int(proc)] for proc in set(well))
    return counts
