"""Whatever files a rule declares: real Snakemake, real scripts, and only HTCondor is played."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from snakemake.benchmark import BenchmarkRecord
from test_snakemake import HERE, PLUGIN

CONTAINER = 'container: "image.sif"\n'

ANY = """
OUTSIDE = "{outside}"
container: "image.sif"
localrules: all
rule all:
    input: "merged.txt", "touched", "a,b=c;d $e ü.txt", "of links.txt", "twice.tsv"
checkpoint split:
    output: directory("parts"), listing="parts.txt", protected=protected("kept.txt")
    shell:
        "mkdir -p {{output[0]}}/sub/empty; for n in 1 2; do echo $n > '{{output[0]}}/sub/p='$n; done; "
        "ln -s sub {{output[0]}}/link; ls {{output[0]}} > {{output.listing}}; "
        "ln -s parts.txt {{output.protected}}"
rule one:
    input: "parts/sub/p={{n}}"
    output: "one/{{n}}.txt", temp("one/{{n}}.tmp"), ensure("one/{{n}}.full", non_empty=True)
    log: a="logs/{{n}}.a", b="logs/{{n}}.b", c="logs/{{n}}.c"
    shell:
        "echo printed; echo first > {{log.a}}; printf 'no end' > {{log.b}}; "
        "cat {{input}} | tee {{output[0]}} {{output[2]}} > {{output[1]}}"
def parts(wildcards):
    folder = Path(checkpoints.split.get().output[0], "sub")
    return sorted(f"one/{{file.name[2:]}}.{{end}}" for file in folder.glob("p=*") for end in ("txt", "tmp"))
rule merge:
    input: parts
    output: "merged.txt"
    shell: "cat {{input}} > {{output}}"
rule touches:
    output: touch("touched")
    shell: "true"
rule odd:
    input: OUTSIDE + "/ref/genome one.fa", "../outside/ref/genome one.fa.fai", "c,d.txt"
    output: "a,b=c;d $e ü.txt"
    shell: "cat {{input:q}} > {{output:q}}; [ -e {{input[0]:q}}.fai ]"
rule links:
    input: OUTSIDE, "linked", "linked/one"
    output: "of links.txt"
    shell: "cat {{input[0]}}/ref/*.fa {{input[1]}}/one {{input[1]}}/two/one {{input[2]}} > {{output:q}}"
rule measured:
    output: "twice.txt"
    benchmark: repeat("twice.tsv", 2)
    shell: "for i in $(seq 30000); do :; done; sleep 0.5; echo x >> {{output}}"
"""


def run(folder: Path, workflow: str, *options: str, **variables: str) -> subprocess.CompletedProcess[str]:
    (folder / "Snakefile").write_text(workflow)
    (folder / "image.sif").touch()
    return subprocess.run(
        [sys.executable, str(HERE / "snakemake_with_fake.py"), *options],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": f"{PLUGIN}:{HERE}", "EXECUTES": "1", **variables},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A project, and beside it what lies outside."""
    made = tmp_path / "project"
    reference = tmp_path / "outside" / "ref"
    for folder in (made, reference, tmp_path / "elsewhere" / "two"):
        folder.mkdir(parents=True)
    for name in ("genome one.fa", "genome one.fa.fai"):
        (reference / name).write_text(f"{name}\n")
    for name in ("one", "two/one"):
        (tmp_path / "elsewhere" / name).write_text(f"{name}\n")
    (reference / "back").symlink_to(tmp_path / "outside")
    (made / "linked").symlink_to("../elsewhere")
    (made / "c,d.txt").write_text("comma\n")
    return made


def made(project: Path) -> dict[str, bytes]:
    """All that rules have made, by its path; links are followed."""
    names = [
        "parts",
        "one",
        "parts.txt",
        "kept.txt",
        "merged.txt",
        "touched",
        "of links.txt",
        "a,b=c;d $e ü.txt",
    ]
    found = {name: project / name for name in names}
    for name in ("parts", "one"):
        for folder, inner, files in os.walk(found.pop(name), followlinks=True):
            found |= {
                os.path.relpath(Path(folder, each), project): Path(folder, each) for each in inner + files
            }
    return {name: path.read_bytes() if path.is_file() else b"a folder" for name, path in found.items()}


#: Of a project that execute points see.
SHARED = ("--shared-fs-usage", "input-output", "persistence", "sources", "source-cache", "--jobs", "9")


@pytest.mark.parametrize("options", [(), SHARED], ids=["transferred", "shared"])
def test_all_files_come_home_as_a_local_run_makes_them(
    project: Path, tmp_path: Path, options: tuple[str, ...]
) -> None:
    local = Path(shutil.copytree(project, tmp_path / "local", symlinks=True))
    workflow = ANY.format(outside=project.parent / "outside")
    (local / "Snakefile").write_text(workflow)
    command = [sys.executable, "-m", "snakemake", "--cores", "1", "--quiet", "all"]
    subprocess.run(command, cwd=local, check=True)

    done = run(project, workflow.replace(CONTAINER, "") if options else workflow, *options)

    assert done.returncode == 0, done.stderr
    assert made(project) == made(local)
    assert len(made(project)) == 19
    assert not (project / "kept.txt").stat().st_mode & 0o222
    assert list(project.glob("results/batches/*/accepted/*")) == []
    assert (project / "logs" / "1.a").read_text() == "first\nprinted\n"
    assert (project / "logs" / "1.b").read_text() == "no end"
    assert (project / "logs" / "1.c").read_text() == ""


def test_benchmark_has_a_line_for_each_run(project: Path) -> None:
    done = run(project, ANY.format(outside=project.parent / "outside"), "twice.tsv")
    assert done.returncode == 0, done.stderr

    header, *lines = [line.split("\t") for line in (project / "twice.tsv").read_text().splitlines()]
    assert header == BenchmarkRecord.get_header()
    assert len(lines) == 2
    for line in lines:
        measured = dict(zip(header, line, strict=True))
        assert float(measured["s"]) >= 0.5
        assert measured["h:m:s"].startswith("0:00:0")
        assert 0 < float(measured["cpu_time"]) < float(measured["s"])
        assert 0.1 < float(measured["max_rss"]) < float(measured["max_vms"])
        assert float(measured["mean_load"]) > 0
    assert (project / "twice.txt").read_text() == "x\nx\n"


FAILS = """
container: "image.sif"
rule some:
    output: "a", "b"
    log: "a.log", "b.log"
    benchmark: "b.tsv"
    shell: "echo told > {{log[1]}}; echo a > {{output[0]}}; {last}"
"""


@pytest.mark.parametrize(("last", "said"), [("exit 3", "exit status 3"), ("true", "exit status 1")])
def test_failed_job_brings_its_logs_and_no_output(project: Path, last: str, said: str) -> None:
    done = run(project, FAILS.format(last=last), "a")

    assert done.returncode == 1
    assert f"the command ended with {said}" in done.stderr
    assert (project / "b.log").read_text().startswith("told\n")
    assert not (project / "a").exists()
    assert not (project / "b.tsv").exists()
    printed = "".join(file.read_text() for file in project.glob("results/batches/*/logs/*"))
    assert ("b: the rule declares this output" in printed) == (last == "true")
