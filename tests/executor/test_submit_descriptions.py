"""From entries to submit file and scripts."""

from __future__ import annotations

import subprocess
from dataclasses import replace
from pathlib import Path

import pytest
from fakes import SHAPE

from snakemake_executor_plugin_condorsweep.batch import Batch, Entry
from snakemake_executor_plugin_condorsweep.carrying import is_plain, rewritten, why_not
from snakemake_executor_plugin_condorsweep.parcel import PARCEL, SIZES, Parcel
from snakemake_executor_plugin_condorsweep.script import script
from snakemake_executor_plugin_condorsweep.submit_file import Site, description, files_of


def commands(text: str) -> dict[str, str]:
    """The submit commands; the last of a name counts, as for HTCondor."""
    lines = [line.partition(" = ") for line in text.splitlines() if not line.startswith("#")]
    return {name: value for name, equals, value in lines if equals}


@pytest.mark.parametrize("path", ["data/plain.txt", "data/ü with space.txt"])
def test_names_that_htcondor_carries(path: str) -> None:
    assert is_plain(path)
    assert why_not(path) == ""


@pytest.mark.parametrize("letter", [",", ";", "=", '"', "$", "\n", "\x1f"])
def test_names_that_htcondor_carries_in_a_parcel(letter: str) -> None:
    assert not is_plain(f"data/a{letter}b.txt")
    assert not is_plain("data/end ")
    assert not is_plain("data/folder/")
    assert why_not(f"data/a{letter}b.txt") == ""


@pytest.mark.parametrize(
    ("path", "words"),
    [
        ("/data/x.txt", "lies outside the project"),
        ("../x.txt", "lies outside the project"),
        ("data/\udce9.txt", "is no UTF-8"),
    ],
)
def test_names_that_no_output_may_have(path: str, words: str) -> None:
    assert words in why_not(path)


INDEX = {
    "/ref/genome.fa": "b/inputs/ref/genome.fa",
    "/ref/x.1.bt2": "b/inputs/ref/x.1.bt2",
    "../y.txt": "b/inputs/y.txt",
}


@pytest.mark.parametrize(
    ("command", "told"),
    [
        ("cat /ref/genome.fa", "cat b/inputs/ref/genome.fa"),
        ("bowtie2 -x '/ref/x' -I=/ref/x.1", "bowtie2 -x 'b/inputs/ref/x' -I=b/inputs/ref/x.1"),
        ("cat /ref/genomes /a/ref/genome.fa /ref/x-2", "cat /ref/genomes /a/ref/genome.fa /ref/x-2"),
        ("cat ../y.txt; cd ..", "cat b/inputs/y.txt; cd .."),
    ],
)
def test_command_finds_what_lies_outside_the_project(command: str, told: str) -> None:
    assert rewritten(command, INDEX) == told


def test_resources_of_the_rule_win_over_the_static_part(batch: Batch) -> None:
    site = Site(macros="wait = 5", description="request_memory = 1GB\nrequest_disk = 1GB\nx = $(wait)")
    text = description(batch, replace(SHAPE, cpus=4, memory_mb=300, runtime_min=2, gpus=1), site)

    assert text.index("wait = 5") < text.index("x = $(wait)") < text.index("universe")
    wanted = {
        "request_cpus": "4",
        "request_memory": "300MB",
        "request_disk": "1GB",
        "request_gpus": "1",
        "allowed_execute_duration": "120",
    }
    assert wanted.items() <= commands(text).items()


def test_image_file_goes_with_late_materialization(batch: Batch) -> None:
    given = commands(description(batch, SHAPE, Site()))

    assert given["container_image"] == f"{batch.root}/image.sif"
    assert given["container_is_common"] == "false"
    assert given["max_idle"] == "3"


def test_image_file_goes_once_to_each_machine_for_those_who_ask(batch: Batch) -> None:
    given = commands(description(batch, SHAPE, Site(description="container_is_common = True")))

    assert given["container_is_common"] == "True"
    assert "max_idle" not in given


def test_image_of_a_url_goes_with_late_materialization(batch: Batch) -> None:
    given = commands(description(batch, replace(SHAPE, image="osdf:///chtc/image.sif"), Site()))

    assert given["container_image"] == "osdf:///chtc/image.sif"
    assert given["container_is_common"] == "false"
    assert given["max_idle"] == "3"


def test_job_without_an_image_runs_on_the_execute_point(batch: Batch) -> None:
    given = commands(description(batch, replace(SHAPE, image=None), Site()))

    assert given["universe"] == "vanilla"
    assert not [name for name in given if name.startswith("container")]
    assert given["max_idle"] == "3"
    assert given["max_retries"] == "3"
    assert given["when_to_transfer_output"] == "ON_SUCCESS"


def test_what_is_shared_is_not_transferred(batch: Batch) -> None:
    shared = replace(batch, entries=tuple(replace(entry, in_place=True) for entry in batch.entries))
    shape = replace(SHAPE, image=None, in_place=True)
    given = commands(description(shared, shape, Site()))

    assert given["transfer_output_files"] == '""'
    assert "transfer_input_files" not in given
    assert given["initialdir"] == str(batch.root)
    table = files_of(shared, shape, Site(prologue="start.sh"))["jobs.txt"].splitlines()
    assert [line.split("\x1f")[3] for line in table] == [""] * 3


def test_table_has_a_line_for_each_job(batch: Batch) -> None:
    table = files_of(batch, SHAPE, Site(prologue="start.sh"))["jobs.txt"].splitlines()

    assert len(table) == 3
    assert table[1].split("\x1f") == [
        "e1",
        "out/e1.txt",
        f"{batch.path}/inbox/e1.txt",
        "data.txt, start.sh",
    ]


def test_script_runs_any_command(tmp_path: Path) -> None:
    (tmp_path / "ü start.sh").write_text("word='from the prologue'\n")
    command = """printf '%s\\n' "$word" "it's \\"$(echo nested)\\"" > 'out/a b.txt'; false; echo never"""
    entry = Entry("x", "out/a b.txt", (), command, "deep/er/log.txt")
    (tmp_path / "job.sh").write_text(script(entry, {}, ["ü start.sh"]))

    done = subprocess.run(["bash", "job.sh"], cwd=tmp_path, capture_output=True, text=True, check=False)

    assert (tmp_path / "out" / "a b.txt").read_text() == 'from the prologue\nit\'s "nested"\n'
    assert done.returncode == 1
    assert "never" not in done.stdout
    assert (tmp_path / "deep" / "er").is_dir()


def ran(folder: Path, entry: Entry, root: Path = Path()) -> subprocess.CompletedProcess[str]:
    """Run the script of a job."""
    (folder / "job.sh").write_text(script(entry, {}, root=root))
    return subprocess.run(["bash", "job.sh"], cwd=folder, capture_output=True, text=True, check=False)


def test_link_to_nothing_is_named(tmp_path: Path) -> None:
    entry = Entry("x", "d", (), "mkdir -p d/e; ln -s nowhere d/e/lost", parcel=Parcel(("d",)))

    done = ran(tmp_path, entry)

    assert done.returncode == 1
    assert "d/e/lost: a link to nothing cannot come home" in done.stderr


def test_sizes_of_what_was_made_are_listed(tmp_path: Path) -> None:
    command = "mkdir -p d/empty; echo 12 > 'd/a b'; ln -s 'a b' d/link; : > d/-x"
    assert ran(tmp_path, Entry("x", "d", (), command, parcel=Parcel(("d",)))).returncode == 0

    assert sorted((tmp_path / PARCEL / SIZES).read_text().split()) == ["0", "3", "3"]


def test_job_in_the_project_begins_anew_and_leaves_all_in_its_place(tmp_path: Path) -> None:
    project, scratch = tmp_path / "pro ject", tmp_path / "scratch"
    (project / "out").mkdir(parents=True)
    scratch.mkdir()
    (project / "out" / "x.txt").write_text("an earlier attempt\n")
    entry = Entry("x", "out/x.txt", (), "echo new >> out/x.txt; {}", "logs/x.log", in_place=True)

    done = ran(scratch, replace(entry, command=entry.command.format("echo own > logs/x.log")), project)
    assert done.returncode == 0, done.stderr
    assert (project / "out" / "x.txt").read_text() == "new\n"
    assert (project / "logs" / "x.log").read_text() == "own\n"
    assert [file.name for file in scratch.iterdir()] == ["job.sh"]

    lost = ran(scratch, replace(entry, command=entry.command.format("rm out/x.txt")), project)
    assert lost.returncode == 1
    assert "out/x.txt: the rule declares this output, and the command did not write it" in lost.stderr
    unseen = ran(scratch, entry, tmp_path / "elsewhere")
    assert unseen.returncode == 1
    assert f"{tmp_path}/elsewhere: this execute point does not see it" in unseen.stderr


@pytest.mark.parametrize(
    ("command", "said"),
    [
        ("echo printed", "printed\n"),
        ("echo own > {log}", "own\n"),
        ("echo printed; echo own > {log}", "own\nprinted\n"),
        ("echo both | tee {log}", "both\n"),
        ("(echo both; echo error >&2) | tee {log}", "both\nerror\n"),
        ("trap 'echo trapped >> {log}' EXIT; echo own > {log}; exit 3", "own\ntrapped\n"),
        ("echo own > {log}; false; echo never", "own\n"),
    ],
)
def test_log_comes_back_whoever_writes_it(batch: Batch, command: str, said: str) -> None:
    entry = replace(batch.entries[0], command=command.format(log="logs/e0.log"))
    (batch.root / "job.sh").write_text(script(entry, {"data.txt": "data.txt"}))
    done = subprocess.run(
        ["bash", "job.sh"], cwd=batch.root, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False
    )
    batch.printed(entry).write_bytes(done.stdout)

    assert sorted(batch.said(entry).decode().splitlines()) == sorted(said.splitlines())
    assert done.returncode == (3 if "exit 3" in command else 1 if "false" in command else 0)
