"""``python -m benchmarks.pool.beside``: the upstream plugin's own test workflows, with it and with ours.

Upstream tests itself by the two workflows that Snakemake carries for executors, on one machine that shares
its files with its jobs. Here both plugins get such a machine, and run in turn. A third workflow is killed by
kill -9 and started again. What is measured goes into the README of the executor.
"""

from __future__ import annotations

import json
import re
import shutil
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from importlib.resources import files
from pathlib import Path

import psutil

from benchmarks.pool import upstream
from condor.pool import ACCESS_POINT, Bind, Pool, User, why_not
from condor.pool.pool import PROJECT
from docs.generators.readme import between

RESULTS = Path("results/benchmarks-pool/beside.json")
README = Path("condor/executor/README.md")
BEGIN, END = "<!-- beside: begin -->", "<!-- beside: end -->"
TURNS = 3

#: A run that has not ended by then is ended, and counts as one that never does.
PATIENCE_S = 90

#: An access point with two slots of its own, which notes each command that it gets.
MACHINE = """
DAEMON_LIST = MASTER SHARED_PORT COLLECTOR NEGOTIATOR SCHEDD STARTD
MOUNT_UNDER_SCRATCH =
NUM_CPUS = 4
MEMORY = 8192
SLOT_TYPE_1 = 100%
SLOT_TYPE_1_PARTITIONABLE = True
NUM_SLOTS_TYPE_1 = 1
STARTER_JOB_ENVIRONMENT = "HOME=/home/ada PATH=/usr/bin:/bin"
SCHEDD_DEBUG = D_COMMAND
MAX_SCHEDD_LOG = 1 Gb
"""

#: Twelve jobs of two seconds, and one that needs them all.
KILLED = """
rule all:
    input: "sum.txt"
rule one:
    output: "one/{n}.txt"
    resources: mem_mb=200, disk_mb=100
    shell: "sleep 2; echo {wildcards.n} > {output}"
rule sum:
    input: expand("one/{n}.txt", n=range(12))
    output: "sum.txt"
    resources: mem_mb=200, disk_mb=100
    shell: "cat {input} > {output}"
"""

WORKFLOWS = ("simple", "groups", "killed")

#: A run that was killed is begun again by the same command.
COMMON = (
    *("--jobs", "unlimited", "--nolock", "--rerun-incomplete"),
    *("--default-resources", "mem_mb=200", "disk_mb=100"),
)
UPSTREAM = (
    *("--executor", "htcondor", "--seconds-between-status-checks", "1"),
    *("--max-status-checks-per-second", "100", "--htcondor-held-timeout", "0"),
)
OURS = (
    *("--executor", "condorsweep", "--condorsweep-remote-jobs", "--condorsweep-prologue", "path.sh"),
    *("--shared-fs-usage", "input-output", "persistence", "sources", "source-cache"),
)

#: How jobs of ours find Snakemake; those of upstream have the path of its Python.
PROLOGUE = 'PATH="{python}/bin:$PATH"\nexport PYTHONPATH="{plugin}"\n'

EVENT = re.compile(r"^(000|001) \((\d+)\.(\d+)\.", re.MULTILINE)


@dataclass(frozen=True)
class Run:
    """Hold one run of a workflow, from the first command to the end of the last.

    Attributes
    ----------
    whole_s : wall time; of the run that follows the kill, where there is one; None if it never ended
    submissions : clusters
    queries : questions that the schedd was asked about its queue
    executions : starts of jobs
    """

    plugin: str
    workflow: str
    whole_s: float | None
    submissions: int
    queries: int
    executions: int


def main() -> None:
    if why_not():
        sys.exit(f"This needs a pool of its own, and there can be none here: {why_not()}.")

    node = replace(ACCESS_POINT, config=MACHINE)
    pool = Pool.start(
        "beside", nodes=(node,), user=User("ada", "/home/ada"), binds=(Bind(upstream.environment()),)
    )
    try:
        runs = list(_runs(pool))
    finally:
        pool.stop()

    RESULTS.parent.mkdir(parents=True, exist_ok=True)
    RESULTS.write_text(json.dumps([asdict(run) for run in runs], indent=1) + "\n")
    README.write_text(between(README.read_text(), BEGIN, END, table(runs)))
    print(f"written: {RESULTS}, {README}")


def _runs(pool: Pool) -> Iterator[Run]:
    """Yield runs: each plugin is first every other time."""
    plugins = ["upstream", "condorsweep"]
    for turn in range(TURNS):
        plugins.reverse()
        for workflow in WORKFLOWS:
            for plugin in plugins:
                run = _run(pool, plugin, workflow, f"{workflow}-{plugin}-{turn}")
                print(f"  {run}", flush=True)
                yield run


def _run(pool: Pool, plugin: str, workflow: str, name: str) -> Run:
    folder = pool.home / name
    cwd = _prepare(pool, folder, workflow)
    queries_before, began = _queries(pool), time.time()
    command = _command(pool, plugin, cwd)

    if workflow == "killed":
        _kill_when_half_runs(command, folder)
        began = time.time()
    ended = _ended(command, folder)
    events = _events(folder)
    return Run(
        plugin=plugin,
        workflow=workflow,
        whole_s=ended and ended - began,
        submissions=len({cluster for kind, cluster, _ in events if kind == "000"}),
        queries=_queries(pool) - queries_before,
        executions=sum(kind == "001" for kind, _, _ in events),
    )


def _prepare(pool: Pool, folder: Path, workflow: str) -> str:
    """Make a folder with a workflow, and return its path as the user sees it."""
    if workflow == "killed":
        folder.mkdir()
        (folder / "Snakefile").write_text(KILLED)
    else:
        shutil.copytree(str(files("snakemake.common.tests") / "testcases" / workflow), folder)

    (folder / "path.sh").write_text(
        PROLOGUE.format(python=sys.prefix, plugin=PROJECT / "condor" / "executor")
    )
    return pool.give(folder)


def _command(pool: Pool, plugin: str, cwd: str) -> list[str]:
    if plugin == "upstream":
        program = str(upstream.environment() / "bin" / "snakemake")
        return pool.as_user(program, *COMMON, *UPSTREAM, cwd=cwd)
    ours = {"PYTHONPATH": f"{PROJECT}/condor/executor"}
    return pool.as_user("snakemake", *COMMON, *OURS, cwd=cwd, **ours)


def _kill_when_half_runs(command: list[str], folder: Path) -> None:
    """Start a command, and kill Snakemake when six jobs have begun."""
    process = _start(command, folder)
    while sum(kind == "001" for kind, _, _ in _events(folder)) < 6:
        if process.poll() is not None:
            raise RuntimeError(f"{folder}: the run ended before it was killed")
        time.sleep(0.2)
    _kill(process)


def _ended(command: list[str], folder: Path) -> float | None:
    """Run a command, and return when it ended; None if it has not within our patience."""
    process = _start(command, folder)
    try:
        status = process.wait(PATIENCE_S)
    except subprocess.TimeoutExpired:
        _kill(process)
        return None

    if status != 0:
        raise RuntimeError(f"{folder.name}: status {status}\n{_said(folder).read_text()}{_printed(folder)}")
    return time.time()


def _start(command: list[str], folder: Path) -> subprocess.Popen[bytes]:
    with _said(folder).open("ab") as output:
        return subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=output, stderr=output)


def _said(folder: Path) -> Path:
    """Return the file with what a run says, beside its folder."""
    return folder.with_suffix(".said")


def _kill(process: subprocess.Popen[bytes]) -> None:
    for each in psutil.Process(process.pid).children(recursive=True):
        each.kill()
    process.wait()


def _events(folder: Path) -> list[tuple[str, str, str]]:
    logs = [*folder.glob("results/batches/*/events.log"), *folder.glob(".snakemake/htcondor/*.log")]
    return [found for log in logs for found in EVENT.findall(log.read_text())]


def _printed(folder: Path) -> str:
    """Return what jobs of the upstream plugin have printed."""
    return "".join(file.read_text() for file in (folder / ".snakemake" / "htcondor").rglob("*.err"))


def _queries(pool: Pool) -> int:
    log = pool.on("ap", "sh", "-c", "cat /var/log/condor/SchedLog*").stdout
    return len(re.findall(r"(?:Received|Calling).*QUERY_JOB_ADS", log))


def table(runs: list[Run]) -> Iterator[str]:
    """A row for each workflow and plugin: medians, and the smallest and largest time."""
    yield "| workflow | plugin | wall, s | submissions | schedd queries | jobs started |"
    yield "|---|---|--:|--:|--:|--:|"
    for workflow in WORKFLOWS:
        for plugin in ("upstream", "condorsweep"):
            here = [run for run in runs if (run.workflow, run.plugin) == (workflow, plugin)]
            walls = sorted(run.whole_s for run in here if run.whole_s is not None)
            middle = [
                f"{statistics.median(getattr(run, name) for run in here):.0f}"
                for name in ("submissions", "queries", "executions")
            ]
            wall = f"{statistics.median(walls):.0f} ({walls[0]:.0f}–{walls[-1]:.0f})" if walls else ""
            if len(walls) < len(here):
                wall += f" {len(here) - len(walls)} of {len(here)} did not end in {PATIENCE_S} s"
            title = (
                "13 jobs, kill -9 after six began" if workflow == "killed" else f"Snakemake's `{workflow}`"
            )
            yield f"| {title} | {plugin} | {wall} | {' | '.join(middle)} |"


if __name__ == "__main__":
    main()
