"""What was asked for has changed while its job was in flight: the old output is not taken for the new one."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest
from fakes import SHAPE, FakeSchedd

from snakemake_executor_plugin_condorsweep.batch import Batch
from snakemake_executor_plugin_condorsweep.gathering import Task
from snakemake_executor_plugin_condorsweep.loop import Loop, Plan, Reports
from snakemake_executor_plugin_condorsweep.submit_file import Site

TASKS = tuple(
    Task(None, SHAPE, f"out/{name}.txt", (f"{name}.txt", "common.txt"), f"make {name}") for name in "ab"
)


@dataclass
class Run:
    """One controller, and what it has been told."""

    root: Path
    by_output: bool = False
    done: list[str] = field(default_factory=list)
    failed: dict[str, str] = field(default_factory=dict)
    said: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        reports = Reports(
            done=lambda task: self.done.append(task.output),
            failed=lambda task, reason: self.failed.update({task.output: reason}),
            say=self.said.append,
        )
        plan = Plan(self.root, "batches", Site(), None, None, self.by_output)
        left = list(Batch.open_ones(self.root, "batches"))
        self.loop = Loop(plan, reports, busy=lambda: False, left=left)

    def ask(self, *tasks: Task) -> None:
        self.loop.take(tasks, {})
        self.loop.turn()


@pytest.fixture
def project(tmp_path: Path) -> Path:
    for name in ("a", "b", "common"):
        (tmp_path / f"{name}.txt").write_text(name)
    return tmp_path


def other_command(root: Path, task: Task) -> Task:
    return replace(task, command=f"{task.command} --otherwise")


def other_image(root: Path, task: Task) -> Task:
    return replace(task, shape=replace(task.shape, image="other.sif"))


def no_image(root: Path, task: Task) -> Task:
    return replace(task, shape=replace(task.shape, image=None))


def other_input(root: Path, task: Task) -> Task:
    (root / "a.txt").write_text("A")
    return task


def one_input_more(root: Path, task: Task) -> Task:
    return replace(task, inputs=(*task.inputs, "b.txt"))


Edit = Callable[[Path, Task], Task]
EDITS = [other_command, other_image, no_image, other_input, one_input_more]


@pytest.mark.parametrize("edit", EDITS)
@pytest.mark.parametrize("has_ended", [False, True])
def test_job_of_before_is_not_taken_for_what_is_asked_for_now(
    project: Path, queue: FakeSchedd, edit: Edit, has_ended: bool
) -> None:
    Run(project).ask(*TASKS)
    if has_ended:
        queue.work("old\n")

    run = Run(project)
    run.ask(edit(project, TASKS[0]), TASKS[1])
    run.loop.turn()
    queue.work("new\n")
    run.loop.turn()

    assert sorted(run.done) == ["out/a.txt", "out/b.txt"]
    assert (project / "out/a.txt").read_text() == "new\n"
    assert (project / "out/b.txt").read_text() == ("old\n" if has_ended else "new\n")
    assert queue.runs == {"out/a.txt": 1 + has_ended, "out/b.txt": 1}
    assert len([words for words in run.said if "since it was submitted" in words]) == 1


def touched(root: Path, task: Task) -> Task:
    os.utime(root / "a.txt")
    return task


def more_memory(root: Path, task: Task) -> Task:
    return replace(task, shape=replace(task.shape, memory_mb=7))


def ancient(root: Path, task: Task) -> Task:
    (root / "a.txt").write_text("A")
    return replace(task, ancient=frozenset(["a.txt"]))


@pytest.mark.parametrize("edit", [touched, more_memory, ancient])
def test_what_changes_no_output_changes_no_job(project: Path, queue: FakeSchedd, edit: Edit) -> None:
    Run(project).ask(*TASKS)

    run = Run(project)
    run.ask(edit(project, TASKS[0]), TASKS[1])
    queue.work()
    run.loop.turn()

    assert sorted(run.done) == ["out/a.txt", "out/b.txt"]
    assert queue.runs == {"out/a.txt": 1, "out/b.txt": 1}


@pytest.mark.parametrize("edit", EDITS)
def test_who_names_outputs_by_their_work_waits_for_them(project: Path, queue: FakeSchedd, edit: Edit) -> None:
    Run(project, by_output=True).ask(*TASKS)

    run = Run(project, by_output=True)
    run.ask(edit(project, TASKS[0]), TASKS[1])
    queue.work()
    run.loop.turn()

    assert queue.runs == {"out/a.txt": 1, "out/b.txt": 1}


def test_input_that_changes_while_the_controller_waits(project: Path, queue: FakeSchedd) -> None:
    run = Run(project)
    run.ask(*TASKS)
    other_input(project, TASKS[0])
    queue.work("old\n")
    run.loop.turn()
    assert run.done == ["out/b.txt"]
    assert not (project / "out/a.txt").exists()
    run.loop.turn()
    queue.work("new\n")
    run.loop.turn()

    assert sorted(run.done) == ["out/a.txt", "out/b.txt"]
    assert (project / "out/a.txt").read_text() == "new\n"
    assert [file.read_text() for file in project.glob("batches/*/replaced/out/a.txt")] == ["old\n"]


def test_input_that_always_changes_ends_in_words(project: Path, queue: FakeSchedd) -> None:
    run = Run(project)
    run.ask(TASKS[0])
    for number in range(8):
        (project / "a.txt").write_text(str(number))
        queue.work()
        run.loop.turn()

    assert "its input a.txt has changed" in run.failed["out/a.txt"]
    assert queue.runs == {"out/a.txt": 3}
    assert not (project / "out/a.txt").exists()


def test_failure_of_something_else_is_no_failure(project: Path, queue: FakeSchedd) -> None:
    Run(project).ask(TASKS[0])
    queue.remove([batch.id for batch in Batch.open_ones(project, "batches")], "")
    run = Run(project)
    run.loop.turn()

    run.ask(other_command(project, TASKS[0]))
    run.loop.turn()
    queue.work("new\n")
    run.loop.turn()

    assert (run.done, run.failed) == (["out/a.txt"], {})


def test_folder_among_the_inputs_counts_by_its_files(project: Path, queue: FakeSchedd) -> None:
    (project / "folder").mkdir()
    (project / "folder" / "file").write_text("1")
    task = replace(TASKS[0], inputs=("folder",))
    Run(project).ask(task)
    (project / "folder" / "other").write_text("2")

    run = Run(project)
    run.ask(task)

    assert any("its input folder has changed" in words for words in run.said)
