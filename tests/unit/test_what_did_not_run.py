"""A test that is skipped for a reason nobody allowed must not pass for one that ran."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

TESTS = Path(__file__).parents[1]

RAN = "def test_that_runs(): pass\n"
SKIPPED = "import pytest\n@pytest.mark.skip(reason={!r})\ndef test_that_does_not(): pass\n"


#: With the tests in one process, and in two.
WORKERS = pytest.mark.parametrize("workers", [(), ("-p", "xdist", "-n", "2", "--dist", "loadfile")], ids=len)


def run(folder, *reasons, ci, workers=()):
    """Status and output of a run of tests that are skipped for these reasons, and one that is not."""
    text = RAN + "".join(
        SKIPPED.format(reason).replace("does_not", f"n{n}") for n, reason in enumerate(reasons)
    )
    (folder / "test_some.py").write_text(text)
    environment = {**os.environ, "PYTHONPATH": str(TESTS), "CI": ci, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
    plugins = ["-p", "what_did_not_run", "-p", "no:cacheprovider", *workers]
    command = [sys.executable, "-m", "pytest", "-q", *plugins, "."]
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)
    return done.returncode, done.stdout


@WORKERS
def test_without_ci_every_reason_is_allowed_and_counted(tmp_path, workers):
    reasons = ("no data: none", "no data: none", "I did not feel like it")
    status, said = run(tmp_path, *reasons, ci="", workers=workers)

    assert status == 0
    assert "   2  no data: none" in said
    assert "   1  I did not feel like it" in said


def test_with_ci_the_allowed_reasons_are_allowed(tmp_path):
    assert run(tmp_path, "no GPU on this machine", "no data: none", ci="1")[0] == 0


@WORKERS
def test_with_ci_any_other_reason_is_a_failure(tmp_path, workers):
    status, said = run(tmp_path, "no GPU on this machine", "I did not feel like it", ci="1", workers=workers)

    assert status == 1
    assert "With CI set this is a failure: I did not feel like it. Allowed: no root, no GPU" in said
