"""The executor without any configuration: real Snakemake, on machines with and without HTCondor."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from test_snakemake import HERE, PLUGIN

pytest.importorskip("htcondor2", reason="no HTCondor on this platform")

WORKFLOW = """
rule make:
    output: "out.txt"
    shell: "echo x > {output}"
"""

#: Snakemake on a machine that lacks something; nobody waits for a schedd to restart.
LACKING = """
import sys
from snakemake.cli import main
from snakemake_executor_plugin_condorsweep import schedd
schedd.RESTART_S = 0.0
{lacks}
main(["--executor", "condorsweep", "--jobs", "unlimited", "--nolock", "--quiet", "all"])
"""

NO_RIGHT = """
import htcondor2
def refuse(place, right):
    raise htcondor2.HTCondorException("DENIED " + right)
schedd.in_queue = lambda batches: {}
htcondor2.Collector.locate = lambda self, kind: {"Name": "ap"}
htcondor2.ping = refuse
"""

NOBODY = """
def submit(description):
    raise schedd.Refused("Failed to create new User record for condor@pool")
schedd.why_unusable = lambda: ""
schedd.submit = submit
schedd.in_queue = lambda batches: {}
"""


@pytest.mark.parametrize(
    ("lacks", "words"),
    [
        pytest.param(
            "sys.modules['htcondor2'] = None", "HTCondor's Python bindings are missing", id="bindings"
        ),
        pytest.param("", "no schedd answers here (Unable to locate local daemon.)", id="schedd"),
        pytest.param(NO_RIGHT, "the schedd ap takes no jobs from you (DENIED WRITE)", id="right"),
    ],
)
def test_machine_that_cannot_submit_is_an_error_before_anything_runs(
    tmp_path: Path, lacks: str, words: str
) -> None:
    done = run(tmp_path, LACKING.format(lacks=lacks))

    assert done.returncode == 1
    assert f"No jobs can go to HTCondor: {words}" in " ".join(done.stderr.split())
    assert "Traceback" not in done.stderr
    assert not (tmp_path / "results").exists()


def test_submission_that_is_refused_fails_its_jobs(tmp_path: Path) -> None:
    done = run(tmp_path, LACKING.format(lacks=NOBODY))

    assert done.returncode == 1
    assert "jobs.sub: Failed to create new User record for condor@pool" in done.stderr
    assert not (tmp_path / "out.txt").exists()


def run(folder: Path, program: str) -> subprocess.CompletedProcess[str]:
    (folder / "Snakefile").write_text(WORKFLOW)
    return subprocess.run(
        [sys.executable, "-c", program],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": f"{PLUGIN}:{HERE}", "CONDOR_CONFIG": "/dev/null"},
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
