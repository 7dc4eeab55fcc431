"""The executor inside the real Snakemake, and the interfaces that it relies on."""

from __future__ import annotations

import dataclasses
import inspect
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import snakemake.api  # noqa: F401  # first: its modules import each other
from snakemake.dag import DAG
from snakemake.jobs import Job
from snakemake.persistence import PersistenceBase
from snakemake.scheduling.job_scheduler import JobScheduler
from snakemake_interface_common.exceptions import WorkflowError
from snakemake_interface_executor_plugins.executors.real import RealExecutor
from snakemake_interface_executor_plugins.settings import CommonSettings

from snakemake_executor_plugin_condorsweep import Executor, ExecutorSettings, common_settings
from snakemake_executor_plugin_condorsweep.executor import plan_of
from snakemake_executor_plugin_condorsweep.refusals import KINDS, missing_inputs

HERE = Path(__file__).parent
PLUGIN = HERE.parents[1] / "condor" / "executor"

WAVES = """
localrules: all, data
rule all:
    input: [f"out/{n}.txt" for n in range(7)]
rule data:
    output: "data/{n}.txt"
    shell: "sleep 0.1; echo {wildcards.n} > {output}"
rule make:
    input: lambda w: f"data/{int(w.n) % 2}.txt"
    output: "out/{n}.txt"
    container: "image.sif"
    shell: "cat {input} > {output}"
"""

REFUSED = {
    "runs": 'output: "1"\n    container: "image.sif"\n    run: pass',
    "scripts": 'output: "2"\n    container: "image.sif"\n    script: "x.py"',
    "benchmarks": 'output: "3"\n    container: "image.sif"\n    benchmark: "b"\n    shell: "true"',
    "two": 'output: "4", "5"\n    container: "image.sif"\n    shell: "true"',
    "folder": 'output: directory("6")\n    container: "image.sif"\n    shell: "true"',
    "imageless": 'output: "7"\n    shell: "true"',
    "comma": 'output: "8,9"\n    container: "image.sif"\n    shell: "true"',
    "outside": 'output: "/tmp/10"\n    container: "image.sif"\n    shell: "true"',
    "groups": 'output: "12"\n    container: "image.sif"\n    group: "g"\n    shell: "true"',
    "shadows": 'output: "11"\n    container: "image.sif"\n    shadow: "minimal"\n    shell: "true"',
}


def run(folder: Path, workflow: str, *options: str) -> subprocess.CompletedProcess[str]:
    (folder / "Snakefile").write_text(workflow)
    for name in ("image.sif", "x.py"):
        (folder / name).touch()
    return subprocess.run(
        [sys.executable, str(HERE / "snakemake_with_fake.py"), *options],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": f"{PLUGIN}:{HERE}"},
        capture_output=True,
        text=True,
        check=False,
    )


def test_waves_are_one_submission(tmp_path: Path) -> None:
    done = run(tmp_path, WAVES, "--max-jobs-per-timespan", "4/1s")

    assert done.returncode == 0, done.stderr
    assert done.stderr.count("Submitted") == 1
    assert "Submitted 7 jobs of rule make as cluster 1" in done.stderr
    assert len(list((tmp_path / "out").iterdir())) == 7


def test_refusals_come_in_words_and_before_anything_runs(tmp_path: Path) -> None:
    rules = [f"rule {name}:\n    {text}\n" for name, text in REFUSED.items()]
    wanted = ", ".join(f"rules.{name}.output" for name in REFUSED)
    targets = f"localrules: all\nrule all:\n    input: {wanted}\n"
    done = run(tmp_path, "\n".join([*rules, targets]), "all")

    assert done.returncode == 1
    for words in (
        "rule runs: has `run:`",
        "rule scripts: has `script:`",
        "rule benchmarks: has `benchmark:`",
        "rule two: declares 2 outputs",
        "rule folder: 6 is marked directory",
        "rule imageless: has no `container:`",
        "rule comma: 8,9: ',' in a file name",
        "rule outside: /tmp/10: lies outside the project",
        "rule shadows: has `shadow:`",
        "rule groups: has `group:`",
    ):
        assert words in done.stderr
    assert not (tmp_path / "results").exists()


def test_missing_files_are_named() -> None:
    class Asked:
        input = (str(HERE), "lost.txt")

    assert missing_inputs(Asked(), "lost.sif") == ["lost.txt", "lost.sif"]
    assert missing_inputs(Asked(), "osdf:///chtc/image.sif") == ["lost.txt"]


@pytest.mark.parametrize(
    ("setting", "value", "words"),
    [
        ("description", "lost.sub", r"lost.sub: cannot be read \(No such file or directory\)"),
        ("accept", "json:lost", "'json:lost' names no function"),
        ("prologue", "lost.sh", "lost.sh: there is no such prologue"),
    ],
)
def test_wrong_settings(setting: str, value: str, words: str) -> None:
    with pytest.raises(WorkflowError, match=words):
        plan_of(ExecutorSettings(**{setting: value}))


class Stub:
    """A loop that notes what it is told."""

    def __init__(self) -> None:
        self.told = ""

    def cancel(self) -> None:
        self.told = "cancel"

    def stop(self) -> None:
        self.told = "stop"

    def waited_for(self) -> int:
        return 2


@pytest.mark.parametrize(
    ("error", "told"), [(KeyboardInterrupt(), "cancel"), (RuntimeError(), "stop"), (SystemExit(), "stop")]
)
def test_only_ctrl_c_removes_jobs(error: BaseException, told: str) -> None:
    executor: Any = object.__new__(Executor)
    executor._loop = Stub()

    try:
        raise error
    except BaseException:
        executor.cancel()

    assert executor._loop.told == told


def test_interfaces_of_snakemake() -> None:
    """What README.md lists. A Snakemake that changes one of them is to be noticed here."""
    used = {
        Job: [
            *KINDS,
            "shellcmd",
            "container_img_url",
            "conda_env_spec",
            "benchmark",
            "group",
            "is_group",
            "is_local",
        ],
        DAG: ["needrun_jobs", "finished"],
        JobScheduler: ["schedule", "error_callback"],
        PersistenceBase: ["unlock"],
        RealExecutor: ["__post_init__", "report_job_success", "report_job_error", "run_job_pre"],
    }
    assert [(kind, name) for kind, names in used.items() for name in names if not hasattr(kind, name)] == []

    assert "register_job" in inspect.signature(RealExecutor.report_job_submission).parameters
    scheduler = inspect.getsource(JobScheduler)
    assert "self.running = set()" in scheduler
    assert "except (KeyboardInterrupt, SystemExit):" in scheduler
    assert "self._executor.cancel()" in scheduler
    assert {field.name for field in dataclasses.fields(CommonSettings)} >= set(vars(common_settings))
