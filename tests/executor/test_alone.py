"""The executor without any configuration: real Snakemake, on machines with and without HTCondor."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from snakemake_interface_common.exceptions import WorkflowError
from test_snakemake import HERE, PLUGIN

from snakemake_executor_plugin_condorsweep import Executor, schedd
from snakemake_executor_plugin_condorsweep.batch import Batch
from snakemake_executor_plugin_condorsweep.loop import Plan
from snakemake_executor_plugin_condorsweep.submit_file import Site

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


def test_schedd_that_has_jobs_of_ours_already_is_waited_for(
    batch: Batch, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(schedd, "why_unusable", lambda: "it is away")
    executor: Any = object.__new__(Executor)
    executor._plan = Plan(batch.root, "batches", Site(), None, None)
    executor.workflow = SimpleNamespace(output_settings=SimpleNamespace(quiet=None))
    executor._look_for_htcondor()

    batch.mark("closed")
    with pytest.raises(WorkflowError, match="it is away"):
        executor._look_for_htcondor()


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
