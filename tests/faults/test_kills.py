"""kill -9 of the controller, and of its packs, at random instants. SEED=NUMBER repeats a run."""

from __future__ import annotations

import os
import random
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pandas as pd
import psutil
import pytest

from anisweep.artifacts import reading
from clone import TIMEOUT_S, Clone

PACKS = 6
KILLS = 20

#: Stands before the real program on the PATH and writes down each pack that is started.
COUNTING = """\
#!/bin/sh
[ "$1" = run-pack ] && echo "$2" >> "{starts}"
exec "{program}" "$@"
"""

RUN = ("snakemake", "--profile", "local", "--config", "study=quick")


@pytest.fixture
def chance() -> random.Random:
    seed = int(os.environ.get("SEED", random.SystemRandom().randrange(10**6)))
    print(f"SEED={seed}")
    return random.Random(seed)


@pytest.fixture
def starts(project: Clone, tmp_path: Path) -> Path:
    """A file with a line for each pack that has been started."""
    programs = Path(sys.executable).parent
    shim = tmp_path / "bin" / "anisweep"
    shim.parent.mkdir()
    shim.write_text(COUNTING.format(starts=tmp_path / "starts", program=programs / "anisweep"))
    shim.chmod(0o755)

    project.environment["PATH"] = f"{shim.parent}:{programs}:{os.environ['PATH']}"
    (tmp_path / "starts").touch()
    return tmp_path / "starts"


def test_of_the_controller(project: Clone, starts: Path, chance: random.Random) -> None:
    kills = 0

    while kills < KILLS:
        kills += _one_round(project, starts, chance, most=KILLS - kills)


def _one_round(project: Clone, starts: Path, chance: random.Random, most: int) -> int:
    """From nothing to the report, with kills on the way. Returns how many."""
    shutil.rmtree(project.root / "results", ignore_errors=True)
    starts.write_text("")
    kills = 0

    while True:
        before = project.digests()
        process = project.start(*RUN)
        patience = chance.uniform(0.5, 12) if kills < most else TIMEOUT_S

        try:
            said, _ = process.communicate(timeout=patience)
            break
        except subprocess.TimeoutExpired:
            process.kill()
            kills += 1
            _wait_until_nothing_runs(process)
            _check_nothing_lost(project, before)

    assert process.returncode == 0, said
    _check_complete(project)
    assert len(starts.read_text().splitlines()) <= PACKS + kills
    return kills


def test_of_packs(project: Clone, starts: Path, chance: random.Random) -> None:
    """The run goes on with the other packs, says that not all is there, and the next one makes the rest."""
    process = project.start(*RUN)
    killed: set[int] = set()

    while process.poll() is None and len(killed) < 3:
        for pack in set(_packs_of(process)) - killed:
            time.sleep(chance.uniform(0, 1.5))
            if psutil.pid_exists(pack):
                psutil.Process(pack).kill()
                killed.add(pack)

    said, _ = process.communicate(timeout=TIMEOUT_S)
    before = project.digests()
    assert process.returncode == 1, said
    assert "Then run the same command again" in said
    _wait_until_nothing_runs(process)
    _check_nothing_lost(project, before)

    project.run(*RUN)

    _check_nothing_lost(project, before)
    _check_complete(project)
    assert len(starts.read_text().splitlines()) <= PACKS + len(killed)


def _packs_of(controller: subprocess.Popen[str]) -> list[int]:
    """Processes that supervise a pack."""
    return [each.pid for each in _session(controller) if "run-pack" in _command(each)[1:3]]


def _session(controller: subprocess.Popen[str]) -> list[psutil.Process]:
    """What the controller has started and still runs, whoever its parent is now."""
    found = []

    for process in psutil.process_iter():
        try:
            if os.getsid(process.pid) == controller.pid and process.status() != psutil.STATUS_ZOMBIE:
                found.append(process)
        except (ProcessLookupError, psutil.NoSuchProcess):
            continue
    return found


def _command(process: psutil.Process) -> list[str]:
    try:
        return process.cmdline()
    except psutil.NoSuchProcess:
        return []


def _wait_until_nothing_runs(controller: subprocess.Popen[str]) -> None:
    controller.communicate(timeout=TIMEOUT_S)
    until = time.monotonic() + 60

    while left := _session(controller):
        assert time.monotonic() < until, f"still running: {[_command(process) for process in left]}"
        time.sleep(0.1)


def _check_nothing_lost(project: Clone, before: dict[str, str]) -> None:
    after = project.digests()
    assert {name: after.get(name) for name in before} == before

    for name in after:
        assert reading.read(project.artifacts / name).rows[0].status == "ok"


def _check_complete(project: Clone) -> None:
    results = project.root / "results"
    summary = pd.read_csv(results / "quick" / "tables" / "summary.csv")

    assert summary["statuses"].tolist() == [f"{PACKS} ok"]
    assert (results / "report.html").read_text().rstrip().endswith("</html>")
    assert [file.name for file in project.artifacts.glob(".*")] == [".kept"]
    assert list((project.artifacts / ".kept").iterdir()) == []
