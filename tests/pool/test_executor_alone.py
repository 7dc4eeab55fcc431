"""The executor without any configuration, on a pool of one machine: no image, no settings, one user."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from subprocess import CompletedProcess

import pytest
from jobs import PATIENCE_S, wait_for
from toys import Toy

from condor.pool import ACCESS_POINT, Pool, User, why_not
from condor.pool.pool import PROJECT

#: Snakemake runs scripts by the path of its Python without quotes: this one has no blanks, wherever we are.
PYTHON = "/tmp/python"

#: What makes a whole pool of an access point, whose jobs see /tmp as it is.
STARTD = """
MOUNT_UNDER_SCRATCH =
DAEMON_LIST = MASTER SHARED_PORT COLLECTOR NEGOTIATOR SCHEDD STARTD
NUM_CPUS = 2
MEMORY = 4096
SLOT_TYPE_1 = 100%
SLOT_TYPE_1_PARTITIONABLE = True
NUM_SLOTS_TYPE_1 = 1
"""

WORKFLOW = """
localrules: all
rule all:
    input: "one.txt", "touched"
rule one:
    input: "data.txt"
    output: "one.txt"
    log: "one.log"
    shell: "echo heard; echo own > {log}; pwd > {output}; cat {input} >> {output}"
rule several:
    input: "one.txt"
    output: directory("parts"), touch("touched")
    benchmark: "several.tsv"
    resources: mem_mb=100, disk_mb=100
    shell: "mkdir -p {output[0]}/sub; cp {input} {output[0]}/sub; sleep 1"
"""

#: Of a project that execute points see.
SHARED = ("--shared-fs-usage", "input-output", "persistence", "sources", "source-cache")


@pytest.fixture(scope="module")
def personal(own_name: str) -> Iterator[Pool]:
    """A pool whose access point is its one execute point, too."""
    if why_not():
        pytest.skip(why_not())

    node = replace(ACCESS_POINT, config=STARTD)
    started = Pool.start(f"{own_name}-personal", nodes=(node,), user=User("zoe", "/home/zoë b"))
    try:
        started.run("ln", "-s", sys.prefix, PYTHON)
        yield started
    finally:
        started.stop()


def run(pool: Pool, name: str, *options: str) -> tuple[Path, CompletedProcess[str]]:
    """Run the workflow in a folder of its own."""
    folder = pool.home / name
    folder.mkdir()
    (folder / "Snakefile").write_text(WORKFLOW)
    (folder / "data.txt").write_text("data\n")
    command = ["snakemake", "--executor", "condorsweep", "--jobs", "4", *options]
    environment = {"PYTHONPATH": f"{PROJECT}/condor/executor"}
    return folder, pool.run(*command, cwd=pool.give(folder), timeout=PATIENCE_S, **environment)


@pytest.mark.parametrize(("name", "options"), [("alone", ()), ("shared", SHARED)])
def test_workflow_needs_no_settings(personal: Pool, name: str, options: tuple[str, ...]) -> None:
    folder, done = run(personal, name, *options)

    assert done.returncode == 0, done.stderr
    where, data = (folder / "one.txt").read_text().splitlines()
    assert data == "data"
    assert (where == f"{personal.user.home}/{name}") == bool(options)
    assert (folder / "parts" / "sub" / "one.txt").read_text() == (folder / "one.txt").read_text()
    assert (folder / "touched").exists()
    assert (folder / "one.log").read_text() == "own\nheard\n"
    assert float((folder / "several.tsv").read_text().splitlines()[1].split()[0]) >= 1
    assert {file.name for file in folder.iterdir() if not file.name.startswith(".snakemake")} == {
        *("Snakefile", "data.txt", "one.txt", "one.log", "parts", "touched", "several.tsv", "results")
    }
    assert not any(any(inbox.iterdir()) for inbox in folder.glob("results/batches/*/inbox"))


FETCHED = """
storage:
    provider="folder"
rule twice:
    input: storage("http://127.0.0.1:8123/data.txt", retrieve=False), "Snakefile"
    output: "out.txt"
    resources: mem_mb=100, disk_mb=100
    shell: "ls > {output}; cat {input[0]} >> {output}"
"""


def test_htcondor_fetches_what_snakemake_does_not_retrieve(personal: Pool) -> None:
    toy = Toy(personal, "fetched", "", ("--snakefile", "fetched.smk", *NOTHING_ELSE))
    toy.variables["PYTHONPATH"] = f"{PROJECT}/condor/executor:{Path(__file__).parent}/storage"
    (toy.folder / "fetched.smk").write_text(FETCHED)
    (toy.folder / "data.txt").write_text("data\n")
    server = subprocess.Popen(
        personal.as_user("python3", "-m", "http.server", "8123", "--bind", "127.0.0.1", cwd=toy.cwd)
    )
    try:
        done = toy.run()
    finally:
        server.terminate()
        server.wait()

    assert done.returncode == 0, done.stderr
    text = (toy.folder / "out.txt").read_text()
    assert "data.txt\n" in text
    assert text.endswith("\ndata\n")


REMOTE = """
localrules: all
rule all:
    input: "merged.txt"
rule split:
    input: "data.txt"
    output: "parts/1", "parts/2"
    resources: mem_mb=500, disk_mb=100
    script: "split.py"
rule first:
    input: "parts/{n}"
    output: temp("first/{n}")
    group: "pair"
    resources: mem_mb=500, disk_mb=100
    shell: "cat {input} > {output}"
rule second:
    input: "first/{n}"
    output: "second/{n}"
    group: "pair"
    resources: mem_mb=500, disk_mb=100
    shell: "sleep 3; cat {input} {input} > {output}"
rule merge:
    input: "second/1", "second/2"
    output: "merged.txt"
    resources: mem_mb=500, disk_mb=100
    run: Path(output[0]).write_text("".join(Path(file).read_text() for file in input))
"""

SPLIT = """
for number, file in enumerate(snakemake.output):
    open(file, "w").write(f"{number} of {open(snakemake.input[0]).read()}")
"""

#: Without what the tests of other files say of their pool and their outputs.
NOTHING_ELSE = tuple(f"--condorsweep-{name}=" for name in ("description", "accept", "give-up"))


def test_jobs_that_snakemake_runs_outlive_a_kill(personal: Pool) -> None:
    options = ("--snakefile", "remote.smk", "--condorsweep-remote-jobs", "--condorsweep-prologue", "path.sh")
    toy = Toy(personal, "remote", "", (*options, *NOTHING_ELSE))
    files = {
        "remote.smk": REMOTE,
        "split.py": SPLIT,
        "data.txt": "data\n",
        "path.sh": f"PATH={PYTHON}/bin:$PATH\n",
    }
    for name, text in files.items():
        (toy.folder / name).write_text(text)

    controller = toy.start()
    toy.wait_for_event("001", times=2)
    controller.signal("KILL")
    done = toy.run()

    assert done.returncode == 0, done.stderr
    assert (toy.folder / "merged.txt").read_text() == 2 * "0 of data\n" + 2 * "1 of data\n"
    assert not (toy.folder / "first").exists()
    started_and_ended = re.findall(r"^(001|005) \(", toy.events, re.MULTILINE)
    assert sorted(started_and_ended) == 4 * ["001"] + 4 * ["005"]


#: How to take something away from who submits, how to give it back, and what is said.
RIGHT = (
    "echo 'DENY_WRITE = zoe@pool' > /etc/condor/config.d/99-z; condor_reconfig",
    "rm /etc/condor/config.d/99-z; condor_reconfig",
    "the schedd ap takes no jobs from you",
)
SCHEDD = ("condor_off -schedd -fast", "condor_on -schedd", "no schedd answers here")


@pytest.mark.parametrize(
    ("take", "give", "words"),
    [pytest.param(*RIGHT, id="right"), pytest.param(*SCHEDD, id="schedd", marks=pytest.mark.fault)],
)
def test_who_cannot_submit_does_not_wait(personal: Pool, take: str, give: str, words: str) -> None:
    def may_submit() -> bool:
        return personal.run("condor_ping", "-type", "schedd", "WRITE").returncode == 0

    personal.on("ap", "sh", "-c", take)
    wait_for(lambda: not may_submit(), "still allowed")
    try:
        folder, done = run(personal, words)
    finally:
        personal.on("ap", "sh", "-c", give)
        wait_for(may_submit, "not allowed again")

    assert done.returncode == 1
    assert f"No jobs can go to HTCondor: {words}" in done.stderr
    assert not (folder / "results").exists()


def test_snakemakes_own_tests_of_executors_pass(personal: Pool) -> None:
    own = personal.home / "own"
    own.mkdir()
    here = Path(__file__).parent
    shutil.copy(here / "own_tests.py", own)

    command = [
        "python",
        "-m",
        "pytest",
        "-q",
        "--basetemp",
        "files",
        "-p",
        "no:cacheprovider",
        "own_tests.py",
    ]
    environment = {"PYTHONPATH": f"{PROJECT}/condor/executor:{here}/storage", "PYTHON": PYTHON}
    done = personal.run(*command, cwd=personal.give(own), timeout=PATIENCE_S, **environment)

    assert done.returncode == 0, done.stdout
    assert "4 passed" in done.stdout
