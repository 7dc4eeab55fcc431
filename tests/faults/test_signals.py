"""Ctrl-C and SIGTERM: the run ends, nothing it started lives on, and the next one makes the rest."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Callable

import pytest

from clone import TIMEOUT_S, Clone

RUN = ("snakemake", "--profile", "local", "--config", "study=quick")


def ctrl_c(process: subprocess.Popen[str]) -> None:
    """What a terminal sends: the whole group is interrupted."""
    os.killpg(process.pid, signal.SIGINT)


def terminate(process: subprocess.Popen[str]) -> None:
    """What a service manager sends, to the controller only."""
    process.terminate()


@pytest.mark.parametrize("stop", [ctrl_c, terminate])
def test_the_run_ends_and_can_go_on(project: Clone, stop: Callable[[subprocess.Popen[str]], None]) -> None:
    process = project.start(*RUN)
    until = time.monotonic() + TIMEOUT_S

    while len(project.digests()) < 2:
        assert process.poll() is None
        assert time.monotonic() < until
        time.sleep(0.05)

    before = project.digests()
    stop(process)
    said, _ = process.communicate(timeout=TIMEOUT_S)  # ends when nobody writes to it any more

    assert process.returncode != 0, said
    after = project.digests()
    assert {name: after[name] for name in before} == before
    assert len(after) < 6

    project.run(*RUN)
    final = project.digests()
    assert {name: final[name] for name in after} == after
    assert len(final) == 6
