"""A second run at the same time stops and names the holder; what only asks goes on."""

from __future__ import annotations

import getpass
import json
import socket
import subprocess
import time

import pytest

from clone import TIMEOUT_S, Clone

CONFIG = ("--config", "study=quick")


@pytest.fixture
def running(project: Clone) -> subprocess.Popen[str]:
    """A run that has become the controller."""
    process = project.start("snakemake", "--profile", "local", *CONFIG)
    lock = project.root / "results" / ".anisweep" / "controller.lock"
    until = time.monotonic() + TIMEOUT_S

    while not (lock.exists() and lock.read_text()):
        assert process.poll() is None
        assert time.monotonic() < until
        time.sleep(0.05)
    return process


def test_the_second_stops_and_names_the_first(project: Clone, running: subprocess.Popen[str]) -> None:
    said = project.run("snakemake", "--profile", "local", *CONFIG, status=1)

    assert running.poll() is None
    assert f"{getpass.getuser()} on {socket.gethostname()}, pid {running.pid}" in said
    assert "Traceback" not in said

    said, _ = running.communicate(timeout=TIMEOUT_S)
    assert running.returncode == 0, said
    assert "unlock" not in said


def test_who_only_asks_is_answered(project: Clone, running: subprocess.Popen[str]) -> None:
    plan = json.loads(project.run("anisweep", "plan", "--json", *CONFIG[1:]))
    said = project.run("snakemake", "-n", *CONFIG)

    assert running.poll() is None
    assert plan["in_flight"] > 0
    assert plan["measured"] + plan["in_flight"] == plan["cells"]
    assert plan["to_measure"] == []
    assert "rule measure_pack" not in said

    running.communicate(timeout=TIMEOUT_S)
    assert running.returncode == 0
