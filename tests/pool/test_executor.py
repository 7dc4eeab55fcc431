"""The executor on the real pool, with a workflow that needs nothing but a shell."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from jobs import PATIENCE_S, wait_for
from toys import Toy

from condor.pool import Pool, SystemPool

Make = Callable[[], Toy]


@pytest.fixture
def toy(any_pool: Pool | SystemPool, image: str, request: pytest.FixtureRequest) -> Toy:
    return Toy(any_pool, request.node.name.removeprefix("test_"), image)


def test_waves_are_one_cluster(toy: Toy) -> None:
    odd = """command=printf "%s\\n" "$(cat {input:q})" 'quoted "ü" $PATH' > {output:q}; echo heard"""
    done = toy.run("count=6", odd, "out=results/ü out", options=("--max-jobs-per-timespan", "2/1s"))

    assert done.returncode == 0, done.stderr
    assert len(toy.batches) == 1
    assert toy.outputs == {f"{n}.txt": f'data {n % 4}\nquoted "ü" $PATH\n' for n in range(6)}
    assert toy.executions() == {str(n): 1 for n in range(6)}
    assert (toy.folder / "results" / "logs" / "5.log").read_text() == "heard\n"
    assert (toy.batches[0] / "closed").exists()

    again = toy.run("count=6", odd, "out=results/ü out")
    assert again.returncode == 0, again.stderr
    assert len(toy.batches) == 1


def test_killed_while_jobs_run(toy: Toy) -> None:
    slow = "command=sleep 3; cat {input:q} > {output}"
    controller = toy.start("count=3", slow)
    toy.wait_for_event("001")
    controller.signal("KILL")

    done = toy.run("count=3", slow)

    assert done.returncode == 0, done.stderr
    assert "3 jobs of earlier runs" in done.stderr
    assert len(toy.outputs) == 3
    assert set(toy.executions().values()) == {1}


#: Runs a command on a terminal that closes as soon as a file is there.
TERMINAL = """
import os, pathlib, pty, subprocess, sys, time
terminal, end = pty.openpty()
run = subprocess.Popen(sys.argv[2:], stdin=subprocess.DEVNULL, stdout=end, stderr=end, start_new_session=True)
os.close(end)
os.set_blocking(terminal, False)
while not list(pathlib.Path().glob(sys.argv[1])):
    time.sleep(0.1)
os.close(terminal)
sys.exit(run.wait())
"""


def test_terminal_that_is_gone_ends_nothing(toy: Toy) -> None:
    command = toy.command("count=2", "command=sleep 3; cat {input:q} > {output}; echo heard > {log}")
    events = "results/batches/*/events.log"
    done = toy.pool.run(
        "python3", "-c", TERMINAL, events, *command, cwd=toy.cwd, timeout=PATIENCE_S, **toy.environment
    )

    assert done.returncode == 0
    assert toy.outputs == {"0.txt": "data 0\n", "1.txt": "data 1\n"}
    assert (toy.folder / "results" / "logs" / "1.log").read_text() == "heard\n"


def test_command_that_was_edited_in_flight(toy: Toy) -> None:
    controller = toy.start("count=2", "command=sleep 600; cat {input:q} > {output}")
    toy.wait_for_event("001")
    second = toy.run("count=2", "command=echo other > {output}")
    assert second.returncode == 1
    assert "Another run follows the jobs of" in second.stderr
    controller.signal("KILL")

    done = toy.run("count=2", "command=echo new > {output}")

    assert done.returncode == 0, done.stderr
    assert done.stderr.count("its command has changed since it was submitted") == 2
    assert toy.outputs == {"0.txt": "new\n", "1.txt": "new\n"}
    wait_for(lambda: not toy.jobs_in_queue(), "jobs that nobody wants stay in the queue")


def test_failing_job_is_tried_again_and_fails_permanently(toy: Toy) -> None:
    done = toy.run(
        "count=2", "command=echo trying; [ {wildcards.number} = 0 ] || exit 3; cat {input:q} > {output}"
    )

    assert done.returncode == 1
    assert list(toy.outputs) == ["0.txt"]
    assert sorted(toy.executions().values()) == [1, 4]
    assert re.fullmatch(r"1.txt: .* exit status 3 in each of 4 attempts \(the last on ep\d\)\n", toy.given_up)
    assert "exit status 3" in done.stderr
    assert (toy.folder / "results" / "logs" / "1.log").read_text() == "trying\n"
    assert toy.jobs_in_queue() == []


def test_hold_by_hand_is_respected(toy: Toy) -> None:
    controller = toy.start("count=1", "command=sleep 4; cat {input:q} > {output}")
    toy.wait_for_event("001")
    cluster = toy.jobs_in_queue("ClusterId")[0]

    toy.pool.run("condor_hold", cluster)
    wait_for(lambda: "condor_release" in controller.said, controller.said)
    assert f"condor_release {cluster}.0" in controller.said
    toy.pool.run("condor_release", cluster)

    assert controller.wait() == 0, controller.said
    assert list(toy.outputs) == ["0.txt"]


def test_plain_condor_submit_does_the_same(toy: Toy) -> None:
    assert toy.run("count=2", "command=cat {input:q} > {output}").returncode == 0
    first = toy.outputs
    batch = toy.batches[0]

    submitted = toy.pool.run("condor_submit", "jobs.sub", cwd=f"{toy.cwd}/results/batches/{batch.name}")
    assert submitted.returncode == 0, submitted.stderr
    wait_for(lambda: len(list((batch / "inbox").iterdir())) == 2 and not toy.jobs_in_queue(), toy.events)

    assert {file.name: file.read_text() for file in (batch / "inbox").iterdir()} == first


#: No letter of it has a meaning on its way.
TOKEN = 'it\'s "$odd"'


def test_workflow_with_any_files_outlives_a_kill(any_pool: Pool | SystemPool, image: str) -> None:
    toy = Toy(
        any_pool, "any_files", image, ("--snakefile", "any.smk", "--condorsweep-accept", ""), {"TOKEN": TOKEN}
    )
    outside = toy.pool.home / "outside ü"
    outside.mkdir()
    for name in ("genome one.fa", "genome one.fa.fai"):
        (outside / name).write_text(f"{name}\n")
    (toy.folder / "linked").symlink_to("../outside ü")
    there = f"outside={toy.pool.give(outside)}"

    if isinstance(any_pool, Pool):
        controller = toy.start(there)
        toy.wait_for_event("001")
        controller.signal("KILL")
    done = toy.run(there)

    assert done.returncode == 0, done.stderr
    made = toy.folder
    assert (made / "merged.txt").read_text() == "1\n1\n"
    assert (made / "parts" / "sub" / "empty").is_dir()
    assert (made / "parts" / "link" / "p=1").read_text() == "1\n"
    assert not (made / "kept.txt").stat().st_mode & 0o222
    assert sorted(file.name for file in (made / "one").iterdir()) == ["1.full", "1.txt"]
    assert (made / "of links.txt").read_text() == "genome one.fa\n" + 2 * "genome one.fa.fai\n"
    assert (made / "logs" / "1.a").read_text() == "first\nprinted\n"
    assert (made / "logs" / "1.b").read_text() == "second\nlink\nsub\n"
    header, *lines = (made / "measured.tsv").read_text().splitlines()
    measured = [dict(zip(header.split("\t"), line.split("\t"), strict=True)) for line in lines]
    assert len(measured) == 2
    assert all(float(line["s"]) >= 1 and float(line["max_rss"]) > 0 for line in measured)
    rendered = (made / "rendered.txt").read_text().splitlines()
    assert rendered == [TOKEN, "prefixed", "ü 'b'", "300", r'Project = "our \"own\" $(x)"']
    assert toy.events.count("\tSlotName:") == 5
