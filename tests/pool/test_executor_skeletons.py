"""Skeletons of two public workflows on the real pool: whatever happens, files are those of a local run."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from jobs import wait_for
from toys import Toy

from condor.pool import Pool
from skeletons import Skeleton

#: What a job asks for; the pool has few processors.
REQUESTS = ("--max-threads", "1", "--default-resources", "mem_mb=100", "disk_mb=100")

#: How to run one: nothing but its own files.
OPTIONS = ("--snakefile", "skeleton.smk", "--condorsweep-accept", "", "--condorsweep-give-up", "", *REQUESTS)


def planted(pool: Pool, name: str, image: str) -> Toy:
    toy = Toy(pool, f"skeleton_{name}", image, OPTIONS)
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
