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
from snakemake.shell import shell
from snakemake_interface_common.exceptions import WorkflowError
from snakemake_interface_executor_plugins.executors.real import RealExecutor
from snakemake_interface_executor_plugins.settings import CommonSettings

from snakemake_executor_plugin_condorsweep import Executor, ExecutorSettings, common_settings
from snakemake_executor_plugin_condorsweep.executor import plan_of
from snakemake_executor_plugin_condorsweep.refusals import KINDS, WAYS_OUT, missing_inputs

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
    "benchmarks": 'output: "3"\n    container: "image.sif"\n    benchmark: "b.jsonl"\n    shell: "true"',
    "outside": 'output: "/tmp/10"\n    container: "image.sif"\n    shell: "true"',
    "groups": 'output: "12"\n    container: "image.sif"\n    group: "g"\n    shell: "true"',
    "requests": (
        'output: "15"\n    container: "image.sif"\n    resources: requirements="x ==", accountinggroup="y", '
        'gpus="many", shell_exec="zsh", htcondor_submit_queue=2, walltime=3\n    shell: "true"'
    ),
    "own_tmpdir": (
        'output: "17"\n    container: "image.sif"\n    resources: tmpdir="/scratch"\n    shell: "true"'
    ),
    "parameter": (
        'output: "18"\n    container: "image.sif"\n    params: "x.py"\n    shell: "cat {params} > {output}"'
    ),
    "modules": (
        'output: "19"\n    container: "image.sif"\n    envmodules: "gcc/13"\n    shell: "touch {output}"'
    ),
    "shadows": 'output: "11"\n    container: "image.sif"\n    shadow: "shallow"\n    shell: "true"',
    "alone": 'output: "21"\n    conda: "x.yaml"\n    shell: "true"',
    "wrappers": 'output: "22"\n    container: "image.sif"\n    wrapper: "file:x"',
}


def run(folder: Path, workflow: str, *options: str) -> subprocess.CompletedProcess[str]:
    (folder / "Snakefile").write_text(workflow)
    for name in ("image.sif", "x.py", "x.yaml"):
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
    done = run(tmp_path, "\n".join([*rules, targets]), "all", "--software-deployment-method", "env-modules")

    assert done.returncode == 1
    for words in (
        "rule runs: has `run:`, which Snakemake itself has to run; where an image with Snakemake 9.",
        "is at hand, name it and say `--condorsweep-remote-jobs`; else put its Python into a script",
        "rule scripts: has `script:`, which Snakemake itself has to run",
        "else declare the script as an input",
        "rule wrappers: has `wrapper:`, which Snakemake itself has to run",
        "else write the command",
        "rule alone: has `conda:` without `container:`; name an image with what `conda:` names in it",
        "rule benchmarks: has an extended benchmark",
        "rule outside: /tmp/10: lies outside the project",
        "rule shadows: has `shadow:`",
        "rule groups: has `group:`",
        "rule requests: asks for requirements='x ==', which HTCondor cannot read",
        "asks for the resource `accountinggroup`, which nobody here knows; write `accounting_group` if that",
        "asks for the resource `shell_exec`, which nobody here knows; write `htcondor_submit_shell_exec` for",
        "asks for gpus='many'; write a whole number",
        "asks for `htcondor_submit_queue`, a line that the executor writes itself",
        "asks for the resource `walltime`, which nobody here knows; write `runtime`",
        "rule own_tmpdir: asks for the resource `tmpdir`",
        "rule parameter: names the file x.py by a parameter",
        "rule modules: has `envmodules:`, which is asked for by `--software-deployment-method`",
    ):
        assert words in done.stderr
    assert "Not for HTCondor" in done.stderr
    assert not (tmp_path / "results").exists()


EVERYWHERE = """
shell.executable("sh")
rule make:
    output: "1.txt"
    container: "image.sif"
    shell: "true > {output}"
"""


def test_what_a_workflow_has_for_all_of_its_jobs_is_refused(tmp_path: Path) -> None:
    done = run(tmp_path, EVERYWHERE, "--precommand", "true", "--apptainer-args=--nv")

    assert done.returncode == 1
    assert "Not for HTCondor" in done.stderr
    for what in WAYS_OUT:
        assert (f"the workflow has {what}" in done.stderr) == (
            what not in ("`--immediate-submit`", "`--cache`")
        )
    assert not (tmp_path / "results").exists()


LATE = """
localrules: all, data
rule all:
    input: "out.txt"
checkpoint data:
    output: "data.txt"
    shell: "echo x > {output}"
rule make:
    input: "data.txt"
    output: "out.txt"
    container: "image.sif"
    resources: gpu=lambda wildcards, input: Path(input[0]).read_text().strip()
    shell: "true"
"""


def test_what_is_known_late_is_refused_before_its_job_is_submitted(tmp_path: Path) -> None:
    done = run(tmp_path, LATE, "--quiet", "all")

    assert done.returncode == 1
    assert "out.txt: Not for HTCondor: rule make: asks for gpu='x'; write a whole number" in done.stderr
    assert not list(tmp_path.glob("results/batches/*/jobs.sub"))


HONOURED = """
localrules: all
shell.prefix("set -euo pipefail; ")
rule all:
    input: "data.txt", "out.txt"
rule data:
    output: temp("data.txt")
    container: "image.sif"
    retries: 2
    priority: 5
    resources: mem="2GB", runtime="2h", disk_mib=100, database=1
    params: words="image", number=3
    shell: "echo {params.words} > {output}"
rule make:
    input: ancient("data.txt")
    output: protected("out.txt")
    log: "make.log"
    container: "image.sif"
    conda: "x.yaml"
    shadow: "minimal"
    threads: 4
    shell: "true"
"""


def test_what_is_passed_on_or_done_here_is_not_refused(tmp_path: Path) -> None:
    done = run(tmp_path, HONOURED, "--resources", "database=1")

    assert done.returncode == 0, done.stderr
    texts = [file.read_text() for file in tmp_path.glob("results/batches/*/jobs.sub")]
    (description,) = [text for text in texts if "of rule data" in text]
    assert "request_memory = 2000MB" in description
    assert "request_disk = 104MB" in description
    assert "allowed_execute_duration = 7200" in description
    assert not (tmp_path / "out.txt").stat().st_mode & 0o222

    again = run(tmp_path, HONOURED, "--resources", "database=1", "--force", "out.txt")
    assert again.returncode == 1
    assert "out.txt is there and write-protected" in again.stderr


#: Starts a program whose output goes into a pipe, which is read until the workflow starts.
UNHEARD = """
import os, subprocess, sys
read, write = os.pipe()
started = subprocess.Popen(sys.argv[1:], stdout=write, stderr=write)
os.close(write)
heard = b""
while b"starts" not in heard:
    heard += os.read(read, 4096)
os.close(read)
sys.exit(started.wait())
"""

LOUD = """
localrules: all
onstart: print("starts", flush=True)
onsuccess: print("ends")
rule all:
    input: "out/1.txt"
    output: "all.txt"
    shell: "sleep 2; echo heard; echo x > {output}"
rule make:
    output: "out/1.txt"
    container: "image.sif"
    shell: "true"
"""


@pytest.mark.parametrize("listener", ["pipe that is broken", "disk that is full"])
def test_run_outlives_its_listeners(tmp_path: Path, listener: str) -> None:
    command = [sys.executable, str(HERE / "snakemake_with_fake.py"), "all.txt"]
    unheard = {
        "pipe that is broken": [sys.executable, "-c", UNHEARD, *command],
        "disk that is full": ["sh", "-c", 'exec "$@" 2>/dev/full', "sh", *command],
    }
    (tmp_path / "Snakefile").write_text(LOUD)
    (tmp_path / "image.sif").touch()
    environment = {**os.environ, "PYTHONPATH": f"{PLUGIN}:{HERE}"}

    done = subprocess.run(unheard[listener], cwd=tmp_path, env=environment, check=False, timeout=300)

    assert done.returncode == 0
    assert (tmp_path / "out" / "1.txt").exists()
    assert (tmp_path / "all.txt").exists()


FAULTY = """
import sys
from snakemake.cli import main
from snakemake_executor_plugin_condorsweep import loop, schedd
def submit(description):
    raise KeyError("a fault that stays")
loop.PATIENCE = 2
schedd.why_unusable = lambda: ""
schedd.submit = submit
schedd.in_queue = lambda batches: {}
main(["--executor", "condorsweep", "--jobs", "unlimited", "--nolock"])
"""


def test_fault_that_stays_ends_snakemake_with_its_status(tmp_path: Path) -> None:
    (tmp_path / "Snakefile").write_text(LOUD)
    (tmp_path / "image.sif").touch()
    done = subprocess.run(
        [sys.executable, "-c", FAULTY],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": f"{PLUGIN}:{HERE}"},
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )

    assert done.returncode == 1
    assert "The executor cannot go on: KeyError: 'a fault that stays'" in done.stderr
    assert "Traceback" not in done.stderr
    assert len(list(tmp_path.glob("results/batches/*/batch.json"))) == 1


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
        ("attach", "nothing", "attach: 'nothing'. Allowed: everything, output"),
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
    """What docs/further.md lists. A Snakemake that changes one of them is to be noticed here."""
    used = {
        Job: [
            *KINDS,
            "shellcmd",
            "container_img_url",
            "conda_env_spec",
            "benchmark",
            "benchmark_repeats",
            "restart_times",
            "group",
            "is_group",
            "is_local",
        ],
        DAG: ["needrun_jobs", "finished", "get_job_group"],
        JobScheduler: ["schedule", "error_callback", "executor_error_callback"],
        PersistenceBase: ["unlock"],
        RealExecutor: [
            "__post_init__",
            "report_job_success",
            "report_job_error",
            "print_job_error",
            "run_job_pre",
            "format_job_exec",
            "get_job_args",
        ],
    }
    assert [(kind, name) for kind, names in used.items() for name in names if not hasattr(kind, name)] == []

    assert "register_job" in inspect.signature(RealExecutor.report_job_submission).parameters
    scheduler = inspect.getsource(JobScheduler)
    assert "self.running = set()" in scheduler
    assert "except (KeyboardInterrupt, SystemExit):" in scheduler
    assert "self._executor.cancel()" in scheduler
    assert {"_process_prefix", "_process_suffix", "get_executable"} <= set(vars(shell))
    assert {field.name for field in dataclasses.fields(CommonSettings)} >= set(vars(common_settings))
