"""`anisweep describe`, killed before each of its steps on the disk, or without room on it."""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path

import ase.io
import numpy as np
import pytest
from ase import Atoms
from test_disk import fill, mounted

from clone import TIMEOUT_S, Clone

DIES = Path(__file__).with_name("dies.py")
OPTIONS = ("--orientations", "identity", "--diameters", "[2.0, 2.0, 1.0]", "--max-angular", "2")


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """Frames for three parts."""
    generator = np.random.default_rng(0)
    frames = [Atoms("CH", generator.uniform(0, 5, (2, 3)), cell=[5] * 3, pbc=True) for _ in range(2500)]
    ase.io.write(tmp_path / "some.xyz", frames)
    return tmp_path / "some.xyz"


def test_kill_before_each_step(project: Clone, file: Path, tmp_path: Path) -> None:
    """Each run is killed one step later than the one before it, and none begins anew."""
    command = ("describe", str(file), *OPTIONS, "-o")
    project.run("anisweep", *command, str(tmp_path / "whole.npz"))
    whole = (tmp_path / "whole.npz").read_bytes()
    output = tmp_path / "out.npz"
    step = kills = 0

    while True:
        step += 1
        process = project.start(sys.executable, str(DIES), str(step), *command, str(output))
        said, _ = process.communicate(timeout=TIMEOUT_S)
        assert process.returncode in (0, -signal.SIGKILL), said

        assert not output.exists() or output.read_bytes() == whole
        if process.returncode == 0:
            break
        kills += 1

    assert kills > 5
    assert output.read_bytes() == whole


@pytest.mark.skipif(os.geteuid() != 0, reason="no root")
def test_a_full_disk_is_said_in_words_and_what_was_done_counts(
    project: Clone, file: Path, tmp_path: Path
) -> None:
    room = tmp_path / "room"
    command = ("anisweep", "describe", str(file), *OPTIONS, "-o", str(room / "out.npz"))

    with mounted(room, "-t", "tmpfs", "-o", "size=4m", "tmpfs"):
        filler = fill(room, room=1000)  # KiB; the values alone are 938, and lie there twice for a moment
        said = project.run(*command, status=1)
        assert "1.9 MB are needed, and 1.0 MB are free" in said
        assert [path.name for path in room.iterdir()] == ["filler"]

        filler.unlink()
        filler = fill(room, room=2000)  # enough for the values twice, and not for their labels
        said = project.run(*command, status=1)
        assert "No space left on device" in said
        assert "Make room" in said
        assert not (room / "out.npz").exists()

        filler.unlink()
        said = project.run(*command)
        assert said.startswith(f"Wrote {room / 'out.npz'}: 5,000 rows of 24 features.")
        assert len(np.load(room / "out.npz")["values"]) == 5000
        assert [path.name for path in room.iterdir()] == ["out.npz"]
