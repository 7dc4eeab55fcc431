"""Somebody else looks at a user's clone: he may read, and is told so; nothing changes by it."""

from __future__ import annotations

import subprocess

import pytest
from jobs import wait_for
from sweep import Sweep

from condor.pool import Pool

pytestmark = pytest.mark.fault


def test_a_labmate_sees_what_is_under_way_and_takes_nothing(pool: Pool, image: str) -> None:
    sweep = Sweep.planted(pool, "looked_at")
    pool.home.chmod(0o755)
    sweep.run("anisweep", "submit", "study=everything")
    wait_for(lambda: sweep.successes().total() == 3, "the packs did not end")
    before = sorted(sweep.root.rglob("*"))

    said = _labmate(sweep, "anisweep", "status", status=0)
    assert "3 terminated" in said
    assert "You may only read here" in said

    assert "one_species-r1" in _labmate(sweep, "anisweep", "logs", "one_species-r1", status=0)
    refused = _labmate(sweep, "anisweep", "cancel", "--all", status=1)
    assert "Allowed: a folder that you may read and write" in refused
    assert sorted(sweep.root.rglob("*")) == before

    sweep.run("anisweep", "status")
    sweep.check_complete(packs=3)


def _labmate(sweep: Sweep, *command: str, status: int) -> str:
    """What a command says to another user of the access point."""
    code = {"PYTHONPATH": f"{sweep.there}/src:{sweep.there}/condor/executor", "HOME": "/tmp"}
    words = sweep.pool.as_user(*command, cwd=sweep.there, **code)  # type: ignore[union-attr]
    other = ["--clear-groups" if word == "--init-groups" else word for word in words]
    other = ["--reuid=4242" if word.startswith("--reuid=") else word for word in other]
    other = ["--regid=4242" if word.startswith("--regid=") else word for word in other]

    done = subprocess.run(other, capture_output=True, text=True, stdin=subprocess.DEVNULL, check=False)
    assert done.returncode == status, done.stdout + done.stderr
    assert "Traceback" not in done.stdout + done.stderr
    return done.stdout + done.stderr
