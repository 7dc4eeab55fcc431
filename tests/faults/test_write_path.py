"""A pack killed before each of its steps on the disk leaves no artifact, or a sound one."""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path

from anisweep.artifacts import reading, store
from clone import TIMEOUT_S, Clone

DIES = Path(__file__).with_name("dies.py")


def _killed_before(step: int, project: Clone, pack: Path, artifact: Path) -> bool:
    """Run the pack; whether it was killed. Step 0 never comes."""
    command = [sys.executable, str(DIES), str(step), "run-pack", str(pack), str(artifact)]
    process = project.start(*command)
    said, _ = process.communicate(timeout=TIMEOUT_S)

    assert process.returncode in (0, -signal.SIGKILL), said
    return process.returncode != 0


def test_kill_before_each_step(project: Clone) -> None:
    project.run("snakemake", "-c1", "measure", "--config", "study=quick", "replicates=1")
    (pack,) = (project.root / "results" / "packs").glob("*.json")
    (artifact,) = project.artifacts.glob("[!.]*.tar.gz")
    artifact.unlink()

    appeared = []
    step = 1
    while _killed_before(step, project, pack, artifact):
        named = artifact.exists()
        restored = store.restore_kept(project.artifacts)

        if artifact.exists():
            assert [row.status for row in reading.read(artifact).rows] == ["ok"] * 3
            artifact.unlink()

        assert bool(restored) <= (not named)
        appeared.append(named or bool(restored))
        store.remove_leftovers(project.artifacts)
        assert [file.name for file in project.artifacts.iterdir()] in ([".kept"], [])
        step += 1

    assert reading.read(artifact).pack.name == pack.stem
    assert not appeared[0]
    assert appeared == sorted(appeared), "once the artifact is there, no later kill takes it away"
    assert appeared[-1]
    print(f"{step - 1} steps; the artifact is there from step {appeared.index(True) + 1} on")


def test_an_artifact_is_never_overwritten(project: Clone) -> None:
    project.run("snakemake", "-c1", "measure", "--config", "study=quick", "replicates=1")
    (pack,) = (project.root / "results" / "packs").glob("*.json")
    (artifact,) = project.artifacts.glob("[!.]*.tar.gz")
    before = project.digests()

    said = project.run("anisweep", "run-pack", os.fspath(pack), os.fspath(artifact), status=1)

    assert "exists" in said
    assert "Traceback" not in said
    assert project.digests() == before
