"""A disk that is full or may not be written: a message in words, nothing lost, and the next run goes on."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from anisweep.artifacts import store
from clone import TIMEOUT_S, Clone

RUN = ("snakemake", "--profile", "local", "--config", "study=quick")

TMPFS = ("-t", "tmpfs", "-o", "size=1m", "tmpfs")

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="no root")


@contextmanager
def mounted(folder: Path, *options: str) -> Iterator[None]:
    folder.mkdir(parents=True, exist_ok=True)
    subprocess.run(["mount", *options, os.fspath(folder)], check=True)
    try:
        yield
    finally:
        subprocess.run(["umount", "--lazy", os.fspath(folder)], check=True)


def fill(folder: Path, room: int) -> Path:
    """A file that leaves so many KiB."""
    filler = folder / "filler"
    free = os.statvfs(folder)
    filler.write_bytes(b"x" * (free.f_bavail * free.f_frsize - room * 1024))
    return filler


def test_full(project: Clone) -> None:
    """One pack is there when the disk fills up."""
    with mounted(project.artifacts, *TMPFS):
        project.run(*RUN, "replicates=1", "--", "measure")
        before = project.digests()
        filler = fill(project.artifacts, room=16)

        said = project.run(*RUN, "replicates=2", "--", "measure", status=1)

        assert "No space left on device" in said
        assert "Make room" in said
        assert "Traceback" not in said
        assert project.digests() == before

        filler.unlink()
        project.run(*RUN, "replicates=2", "--", "measure")
        after = project.digests()
        assert {name: after[name] for name in before} == before
        assert len(after) == 2


def test_a_pack_fits_or_leaves_nothing(project: Clone) -> None:
    """Whatever step the room ends at: no artifact, and never one whose cells failed for want of room."""
    project.run(*RUN, "replicates=1", "--", "measure")
    (pack,) = (project.root / "results" / "packs").glob("*.json")
    command = ("anisweep", "run-pack", os.fspath(pack))
    failures = 0

    with mounted(project.artifacts, *TMPFS):
        for room in range(0, 400, 4):
            filler = fill(project.artifacts, room)
            artifact = project.artifacts / f"room-{room}.tar.gz"
            process = project.start(*command, os.fspath(artifact))
            said, _ = process.communicate(timeout=TIMEOUT_S)
            filler.unlink()

            if process.returncode == 0:
                assert [row.status for row in store.read(artifact).rows] == ["ok"] * 3
                break

            failures += 1
            assert "No space left on device" in said
            assert "Traceback" not in said
            assert not artifact.exists()
            assert store.restore_kept(project.artifacts) == []

    assert process.returncode == 0
    assert failures > 5


def test_read_only(project: Clone) -> None:
    project.run(*RUN, "replicates=1", "--", "measure")
    results = project.root / "results"
    before = project.digests()

    with mounted(results, "--bind", os.fspath(results)):
        subprocess.run(["mount", "-o", "remount,ro,bind", os.fspath(results)], check=True)
        said = project.run(*RUN, "replicates=2", "--", "measure", status=1)

    assert "Read-only file system" in said
    assert "Mend the permissions" in said
    assert "Traceback" not in said

    project.run(*RUN, "replicates=2", "--", "measure")
    after = project.digests()
    assert {name: after[name] for name in before} == before
    assert len(after) == 2


def test_preflight_of_a_full_folder(project: Clone) -> None:
    results = project.root / "results"

    with mounted(results, "-t", "tmpfs", "-o", "size=4m", "tmpfs"):
        filler = fill(results, room=16)
        said = project.run("anisweep", "preflight", "study=quick", status=1)
        assert f"{results}: results cannot be stored" in said
        assert "No space left on device" in said
        assert "Make room" in said

        filler.unlink()
        said = project.run("anisweep", "preflight", "study=quick", status=1)
        assert "results cannot be stored" not in said
        assert f"{results}: 4 MB are free" in said


def test_preflight_of_a_read_only_folder(project: Clone) -> None:
    results = project.root / "results"
    results.mkdir(exist_ok=True)

    with mounted(results, "--bind", os.fspath(results)):
        subprocess.run(["mount", "-o", "remount,ro,bind", os.fspath(results)], check=True)
        said = project.run("anisweep", "preflight", "study=quick", status=1)

    assert f"{results}: results cannot be stored" in said
    assert "Read-only file system" in said
    assert "Mend the permissions" in said
