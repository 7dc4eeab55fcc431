"""Commands as Snakemake renders them, and what rules ask HTCondor for: real Snakemake, real scripts."""

from __future__ import annotations

from pathlib import Path

import pytest
from test_any_files import run

from snakemake_executor_plugin_condorsweep.requests import lines_of, wrong

htcondor2 = pytest.importorskip("htcondor2", reason="no HTCondor on this platform")
classad2 = pytest.importorskip("classad2")

TOKEN = "secret 'a' \"b\" $c `d`\nline"

RENDERED = """
envvars: "TOKEN", "OTHER"
shell.prefix("export PREFIXED=1; ")
shell.suffix("; echo $PREFIXED >> $made")
container: "image.sif"
localrules: all
rule all:
    input: "out.txt", "retried.txt"
rule make:
    output: "out.txt"
    params: folder=lambda wildcards, resources: resources.tmpdir, words="a 'b'"
    threads: 3
    shell:
        "made={output}; false; unset_is_fine=$NOT_THERE; "
        "echo {resources.tmpdir} {params.folder} {resources.tmpdir:q} {threads} {params.words:q} > {output}; "
        "echo \\"$TOKEN\\" >> {output}"
rule retry:
    output: "retried.txt"
    retries: 2
    resources: mem_mb=lambda wildcards, attempt: attempt * 100
    shell: "made={output}; [ {resources.mem_mb} = 300 ] || exit 3; echo {resources.mem_mb} > {output}"
"""


def test_commands_run_as_snakemake_renders_them(tmp_path: Path) -> None:
    done = run(tmp_path, RENDERED, TOKEN=TOKEN, OTHER="o")

    assert done.returncode == 0, done.stderr
    assert (tmp_path / "out.txt").read_text() == f"/tmp /tmp /tmp 3 a 'b'\n{TOKEN}\n1\n"
    assert (tmp_path / "retried.txt").read_text() == "300\n1\n"
    texts = [file.read_text() for file in sorted(tmp_path.glob("results/batches/*/jobs.sub"))]
    files = [file for file in tmp_path.glob("results/batches/*/*") if file.is_file()]
    (told,) = {file.name for file in files if "secret" in file.read_text()}
    assert told == "variables.sh"
    assert {oct(file.stat().st_mode & 0o777) for file in files if file.name == told} == {"0o600"}
    retried = [text for text in texts if "of rule retry" in text]
    assert [
        next(line for line in text.splitlines() if line.startswith("request_memory")) for text in retried
    ] == ["request_memory = 100MB", "request_memory = 200MB", "request_memory = 300MB"]
    assert ["\nmax_retries = 0\n" in text for text in texts] == ["of rule retry" in text for text in texts]


ASKED = {
    "mem_mb": 100,
    "_cores": 1,
    "request_disk": "4GB",
    "request_gpus": 2,
    "requirements": 'TARGET.Arch == "X86_64"',
    "rank": "Memory",
    "accounting_group": "group.of.us",
    "classad_Project": 'a "b" \\ $(c) $x',
    "classad_WantFlocking": True,
    "classad_Level": 3,
    "htcondor_submit_nice_user": True,
    "htcondor_submit_environment": "\"A=1 B='2 3'\"",
}


def test_requests_are_what_htcondor_understands() -> None:
    assert [wrong(name, value) for name, value in ASKED.items()] == [""] * len(ASKED)

    site = "requirements = TARGET.HasX =?= true\nqueue_of = us\n"
    text = site + "\n".join(lines_of(ASKED, retried=False))
    described = htcondor2.Submit(f"executable = x\n{text}\n")

    expanded = {name: described.expand(name) for name in ("requirements", "request_disk", "My.Project")}
    assert expanded["requirements"] == '(TARGET.HasX =?= true) && (TARGET.Arch == "X86_64")'
    assert expanded["request_disk"] == "4GB"
    assert classad2.ExprTree(expanded["My.Project"]).eval() == ASKED["classad_Project"]
    assert "My.WantFlocking = true" in text
    assert "My.Level = 3" in text
    assert "accounting_group = group.of.us" in text
    assert "nice_user = True" in text
    assert "mem_mb" not in text


def test_requirements_of_a_rule_alone_are_whole() -> None:
    (line,) = lines_of({"requirements": "x > 1"}, retried=False)

    assert htcondor2.Submit(line).expand("requirements") == "(true) && (x > 1)"


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("gpus", "two", "write a whole number"),
        ("gpu", True, "write a whole number"),
        ("mem_mb", -1, "write a whole number"),
        ("memmb", 1, "write `mem_mb` if that is meant"),
        ("request_memory", "", "cannot read"),
        ("request_memmory", 1, "write `request_memory` if that is meant"),
        ("request_disk", "4 gigs", "cannot read"),
        ("requirements", "x) || (y", "cannot read"),
        ("accounting_group", "a b", "write a name"),
        ("rank", "x \\", "write one line"),
        ("nvidia_gpu", 1, "write `gpus`"),
        ("cpus_per_task", 1, "write `threads:`"),
        ("partition", "x", "or count it in this run by `--resources partition=N`"),
        ("rank", "a b", "which HTCondor cannot read; write an amount or an expression"),
        ("accounting_group", "a\nqueue", "write one line"),
        ("classad_X", "a\nqueue", "write one line"),
        ("htcondor_submit_Executable", "x", "a line that the executor writes itself"),
    ],
)
def test_what_cannot_be_asked_for_is_said_with_the_right_name(name: str, value: object, words: str) -> None:
    assert words in wrong(name, value)
