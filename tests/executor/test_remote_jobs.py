"""Jobs that Snakemake itself runs: real Snakemake here and in the jobs, and only HTCondor is played."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from snakemake import __version__
from test_any_files import run

WORKFLOW = """
configfile: "config/config.yaml"
container: "image.sif"
envvars: "TOKEN"
SAMPLES = Path("config/samples.txt").read_text().split()
localrules: all
rule all:
    input: "report.txt", "merged.txt", "wrapped.txt", expand("ran/{sample}.txt", sample=SAMPLES)
include: "rules/more.smk"
rule scripted:
    input: "config/samples.txt"
    output: "scripted/a,b.txt", directory("scripted/parts"), touch("scripted/touched")
    params: word=config["word"]
    log: "scripted.log", "second.log"
    benchmark: "scripted.tsv"
    resources: mem_mb=123
    threads: 3
    script: "scripts/make.py"
rule report:
    input: rules.scripted.output[0]
    output: protected("report.txt")
    run:
        Path(output[0]).write_text(Path(input[0]).read_text() + os.environ["TOKEN"])
rule wrapped:
    output: "wrapped.txt"
    wrapper: "file:wrappers/w"
"""

MORE = """
rule first:
    output: temp("first/{n}.txt"), "kept/{n}.txt"
    group: "pair"
    log: "logs/{n}.first"
    shell: "echo heard; echo {wildcards.n} | tee {output} > {log}"
rule second:
    input: "first/{n}.txt"
    output: "second/{n}.txt"
    group: "pair"
    benchmark: "second/{n}.tsv"
    shell: "cat {input} {input} > {output}"
rule merged:
    input: expand("second/{n}.txt", n=(1, 2))
    output: "merged.txt"
    shell: "cat {input} > {output}"
rule ran:
    output: "ran/{sample}.txt"
    run: shell("echo {wildcards.sample} {config[word]} > {output}")
"""

MAKE = """
import beside
words = [snakemake.params.word, snakemake.resources.mem_mb, snakemake.threads, snakemake.config["word"]]
open(snakemake.output[0], "w").write(f"{words} {beside.WORD} {open(snakemake.input[0]).read()}")
import os
os.mkdir(snakemake.output[1])
open(snakemake.output[1] + "/part", "w").write("part")
open(snakemake.log[0], "w").write("own log")
open(snakemake.log[1], "w").write("other log")
"""

FILES = {
    "rules/more.smk": MORE,
    "config/config.yaml": "word: configured\n",
    "config/samples.txt": "one two\n",
    "scripts/make.py": MAKE,
    "scripts/beside.py": "WORD = 'imported'\n",
    "wrappers/w/environment.yaml": "dependencies: []\n",
    "wrappers/w/wrapper.py": "open(snakemake.output[0], 'w').write('wrapped')\n",
}

REMOTE = ("--condorsweep-remote-jobs", "--condorsweep-sources", "config/samples.txt")

#: Of a project that execute points see.
SHARED = ("--shared-fs-usage", "input-output", "persistence", "sources", "source-cache", "--jobs", "9")


def execute(folder: Path, workflow: str, *options: str, **variables: str) -> subprocess.CompletedProcess[str]:
    for name, text in FILES.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    return run(folder, workflow, *options, **{"PATH": path, "TOKEN": "it's $odd", **variables})


def test_script_and_run_come_home(tmp_path: Path) -> None:
    done = execute(tmp_path, WORKFLOW, *REMOTE, "report.txt")

    assert done.returncode == 0, done.stderr
    words = "['configured', 123, 3, 'configured'] imported one two\n"
    assert (tmp_path / "scripted" / "a,b.txt").read_text() == words
    assert (tmp_path / "scripted" / "parts" / "part").read_text() == "part"
    assert (tmp_path / "scripted" / "touched").exists()
    assert (tmp_path / "report.txt").read_text() == f"{words}it's $odd"
    assert not (tmp_path / "report.txt").stat().st_mode & 0o222
    assert (tmp_path / "scripted.log").read_text().startswith("own log")
    assert (tmp_path / "second.log").read_text() == "other log"
    assert len((tmp_path / "scripted.tsv").read_text().splitlines()) == 2


def test_groups_are_one_job_each(tmp_path: Path) -> None:
    done = execute(tmp_path, WORKFLOW, *REMOTE, "merged.txt")

    assert done.returncode == 0, done.stderr
    assert (tmp_path / "merged.txt").read_text() == "1\n1\n2\n2\n"
    assert (tmp_path / "kept" / "1.txt").read_text() == "1\n"
    assert not (tmp_path / "first" / "1.txt").exists()
    assert (tmp_path / "logs" / "1.first").read_text().startswith("1\n")
    assert len((tmp_path / "second" / "2.tsv").read_text().splitlines()) == 2
    assert "2 jobs of rule pair" in done.stderr


def test_wrapper_and_run_work_in_a_shared_project(tmp_path: Path) -> None:
    workflow = WORKFLOW.replace('container: "image.sif"', "")
    done = execute(tmp_path, workflow, *REMOTE, *SHARED, "wrapped.txt", "ran/two.txt")

    assert done.returncode == 0, done.stderr
    assert (tmp_path / "wrapped.txt").read_text() == "wrapped"
    assert (tmp_path / "ran" / "two.txt").read_text() == "two configured\n"


def path_with_another(folder: Path) -> str:
    """A PATH whose first python3 knows another Snakemake."""
    other = folder / "other" / "python3"
    other.parent.mkdir()
    other.write_text("#!/bin/sh\necho 7.32.4\n")
    other.chmod(0o755)
    return f"{other.parent}:{os.environ['PATH']}"


def test_image_without_this_snakemake_is_named(tmp_path: Path) -> None:
    done = execute(tmp_path, WORKFLOW, *REMOTE, "wrapped.txt", PATH=path_with_another(tmp_path))

    assert done.returncode == 1
    assert not (tmp_path / "wrapped.txt").exists()
    said = "".join(file.read_text() for file in tmp_path.glob("results/batches/*/logs/*"))
    assert f"image.sif must have Snakemake {__version__}" in said
    assert "Found: 7.32.4." in said
    (description,) = tmp_path.glob("results/batches/*/jobs.sub")
    assert "\nretry_until = 78\n" in description.read_text()


def test_command_is_the_same_in_each_run(tmp_path: Path) -> None:
    path, commands = path_with_another(tmp_path), set()
    for seed in ("1", "2"):
        folder = tmp_path / seed
        folder.mkdir()
        execute(folder, WORKFLOW, *REMOTE, "second/1.txt", PYTHONHASHSEED=seed, PATH=path)
        (script,) = folder.glob("results/batches/*/jobs/*.sh")
        commands.add(script.read_text().replace(script.parts[-3], ""))
    assert len(commands) == 1


REFUSED = """
container: "image.sif"
rule inside:
    input: "/etc/hostname"
    output: "1"
    run: pass
rule images:
    output: "2"
    container: "other.sif"
    group: "g"
    shell: "true"
rule more:
    input: "2"
    output: "3"
    group: "g"
    shell: "true"
"""


def test_what_no_snakemake_would_find_is_refused(tmp_path: Path) -> None:
    options = ("--condorsweep-remote-jobs", "--condorsweep-sources", "lost ../lies", "1", "3")
    done = execute(tmp_path, REFUSED, *options)

    assert done.returncode == 1
    for words in (
        "group g: its rules name several images (image.sif, other.sif); it is one job, so give",
        "rule inside: needs /etc/hostname, which lies outside the project; name it by a link",
        "../lies: jobs need it and it lies outside the project",
        "lost: there is none; correct `--condorsweep-sources`",
    ):
        assert words in done.stderr
    assert not (tmp_path / "results").exists()
