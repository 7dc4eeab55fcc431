"""The loop over a queue that lies in memory: what it submits, and that no crash costs or doubles a job."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from fakes import SHAPE, FakeSchedd, tell

from snakemake_executor_plugin_condorsweep import loop as loop_module
from snakemake_executor_plugin_condorsweep.batch import Batch, remove_leftovers
from snakemake_executor_plugin_condorsweep.follower import Accept, GiveUp, settle
from snakemake_executor_plugin_condorsweep.gathering import Task
from snakemake_executor_plugin_condorsweep.ledger import End, JobRecord, Ledger
from snakemake_executor_plugin_condorsweep.loop import Loop, Plan, Reports
from snakemake_executor_plugin_condorsweep.schedd import Refused, Unreachable
from snakemake_executor_plugin_condorsweep.submit_file import Site

OUTPUTS = ("out/a.txt", "out/b.txt", "out/c.txt")


@dataclass
class Run:
    """One controller, and what it has been told."""

    root: Path
    accept: Accept | None = None
    give_up: GiveUp | None = None
    done: list[str] = field(default_factory=list)
    failed: dict[str, str] = field(default_factory=dict)
    said: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        plan = Plan(self.root, "batches", Site(), self.accept, self.give_up)
        reports = Reports(
            done=lambda task: self.done.append(task.output),
            failed=lambda task, reason: self.failed.update({task.output: reason}),
            say=self.said.append,
        )
        remove_leftovers(self.root, "batches")
        self.loop = Loop(plan, reports, busy=lambda: False, left=list(Batch.open_ones(self.root, "batches")))

    def ask_for_what_is_missing(self) -> None:
        """What Snakemake does: a task for each output that is not there."""
        missing = [output for output in OUTPUTS if not (self.root / output).exists()]
        self.loop.take([Task(None, SHAPE, output, (), "true") for output in missing], {})

    def turn(self, times: int = 1) -> None:
        for _ in range(times):
            self.loop.turn()


def test_one_submission_and_all_complete(tmp_path: Path, queue: FakeSchedd) -> None:
    run = Run(tmp_path)
    run.ask_for_what_is_missing()
    run.turn()
    queue.work()
    run.turn()

    assert sorted(run.done) == sorted(OUTPUTS)
    assert queue.runs == dict.fromkeys(OUTPUTS, 1)
    batch = next(tmp_path.glob("batches/*")).relative_to(tmp_path)
    assert run.said == [
        f"Submitted 3 jobs of rule make as cluster 1 ({batch}).",
        *(f"{Path(output).stem}: completed on ep1 after 0 s; 0 left." for output in OUTPUTS),
    ]


def test_next_run_attaches(tmp_path: Path, queue: FakeSchedd) -> None:
    first = Run(tmp_path)
    first.ask_for_what_is_missing()
    first.turn()

    second = Run(tmp_path)
    second.ask_for_what_is_missing()
    second.turn()
    queue.work()
    second.turn()

    assert sorted(second.done) == sorted(OUTPUTS)
    assert queue.runs == dict.fromkeys(OUTPUTS, 1)


def test_job_that_comes_after_its_end_is_told_at_once(tmp_path: Path, queue: FakeSchedd) -> None:
    first = Run(tmp_path)
    first.ask_for_what_is_missing()
    first.turn()
    queue.work()

    second = Run(tmp_path)
    second.turn()
    assert second.done == []
    second.loop.take([Task(None, SHAPE, OUTPUTS[0], (), "true")], {})
    second.turn()

    assert second.done == [OUTPUTS[0]]
    assert queue.runs[OUTPUTS[0]] == 1


def test_schedd_that_is_down_is_waited_for(
    tmp_path: Path, queue: FakeSchedd, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(loop_module, "BACK_OFF_S", (0.0,))
    queue.up = False
    run = Run(tmp_path)
    run.ask_for_what_is_missing()
    run.turn(times=5)
    assert [words for words in run.said if "does not answer" in words] == run.said
    assert len(run.said) == 1

    queue.up = True
    run.turn()
    queue.work()
    run.turn()

    assert sorted(run.done) == sorted(OUTPUTS)


def test_submission_that_only_seemed_to_fail(
    tmp_path: Path, queue: FakeSchedd, monkeypatch: pytest.MonkeyPatch
) -> None:
    def submit_and_lose_the_answer(description: str) -> int:
        queue.submit(description)
        raise Unreachable("the connection broke")

    monkeypatch.setattr(loop_module, "BACK_OFF_S", (0.0,))
    monkeypatch.setattr(loop_module.schedd, "submit", submit_and_lose_the_answer)
    run = Run(tmp_path)
    run.ask_for_what_is_missing()
    run.turn(times=2)
    queue.work()
    run.turn()

    assert sorted(run.done) == sorted(OUTPUTS)
    assert queue.runs == dict.fromkeys(OUTPUTS, 1)


def test_connection_that_breaks_is_no_refusal(
    tmp_path: Path, queue: FakeSchedd, monkeypatch: pytest.MonkeyPatch
) -> None:
    def submit_and_break(description: str) -> int:
        queue.submit(description)
        raise Refused("Failed to commit transaction")

    monkeypatch.setattr(loop_module, "BACK_OFF_S", (0.0,))
    monkeypatch.setattr(loop_module.schedd, "submit", submit_and_break)
    run = Run(tmp_path)
    run.ask_for_what_is_missing()
    run.turn(times=2)
    queue.work()
    run.turn()

    assert run.failed == {}
    assert queue.runs == dict.fromkeys(OUTPUTS, 1)


def test_fault_of_the_executor_is_said_once_and_doubles_nothing(
    tmp_path: Path, queue: FakeSchedd, monkeypatch: pytest.MonkeyPatch
) -> None:
    def submit_and_stumble(description: str) -> int:
        queue.submit(description)
        raise KeyError("a fault")

    monkeypatch.setattr(loop_module.schedd, "submit", submit_and_stumble)
    run = Run(tmp_path)
    run.ask_for_what_is_missing()
    run.turn(times=3)
    queue.work()
    run.turn()

    assert sorted(run.done) == sorted(OUTPUTS)
    assert queue.runs == dict.fromkeys(OUTPUTS, 1)
    assert sum("KeyError: 'a fault'" in words for words in run.said) == 1


def test_refused_submission_fails_its_jobs(
    tmp_path: Path, queue: FakeSchedd, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(description: str) -> int:
        raise Refused("Parse error in expression")

    monkeypatch.setattr(loop_module, "BACK_OFF_S", (0.0,))
    monkeypatch.setattr(loop_module.schedd, "submit", refuse)
    run = Run(tmp_path)
    run.ask_for_what_is_missing()
    run.turn(times=2)

    assert set(run.failed) == set(OUTPUTS)
    assert "Parse error" in run.failed[OUTPUTS[0]]
    assert list(Batch.open_ones(tmp_path, "batches")) == []


def test_damaged_twice_then_failed_permanently(tmp_path: Path, queue: FakeSchedd) -> None:
    def refuse(arrived: Path, output: Path) -> None:
        raise ValueError("not sound")

    records: list[str] = []
    run = Run(tmp_path, accept=refuse, give_up=lambda output, reason: records.append(output.name))
    run.ask_for_what_is_missing()
    for _ in range(8):
        run.turn()
        queue.work()

    assert queue.runs == dict.fromkeys(OUTPUTS, 3)
    assert set(run.failed) == set(OUTPUTS)
    assert sorted(records) == ["a.txt", "b.txt", "c.txt"]


def test_record_in_the_place_of_the_output_counts(tmp_path: Path, queue: FakeSchedd) -> None:
    def record(output: Path, reason: str) -> None:
        output.parent.mkdir(exist_ok=True)
        output.write_text(reason)

    run = Run(tmp_path, give_up=record)
    run.ask_for_what_is_missing()
    run.turn()
    for proc in range(3):
        tell(queue.log(1), "aborted", 1, proc)
    run.turn()

    assert sorted(run.done) == sorted(OUTPUTS)


def test_ctrl_c_takes_back_and_the_next_run_begins_anew(tmp_path: Path, queue: FakeSchedd) -> None:
    first = Run(tmp_path)
    first.ask_for_what_is_missing()
    first.turn()
    first.loop.cancel()
    assert first.said[-1] == "Removed 3 jobs from the queue."

    second = Run(tmp_path)
    second.ask_for_what_is_missing()
    second.turn(times=2)
    queue.work()
    second.turn()

    assert sorted(second.done) == sorted(OUTPUTS)
    assert queue.runs == dict.fromkeys(OUTPUTS, 1)


def test_ctrl_c_leaves_what_others_asked_for(tmp_path: Path, queue: FakeSchedd) -> None:
    first = Run(tmp_path)
    first.ask_for_what_is_missing()
    first.turn()

    second = Run(tmp_path)
    second.loop.take([Task(None, SHAPE, OUTPUTS[0], (), "true")], {})
    second.turn()
    second.loop.cancel()

    assert "stays: it holds jobs that this run did not ask for" in second.said[-1]
    queue.work()
    assert len(queue.runs) == 3


def test_full_disk_is_waited_for(tmp_path: Path, queue: FakeSchedd, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(loop_module, "BACK_OFF_S", (0.0,))
    run = Run(tmp_path)
    run.ask_for_what_is_missing()
    with monkeypatch.context() as patched:
        patched.setattr(os, "sync", full)
        run.turn(times=3)
    run.turn()
    queue.work()
    with monkeypatch.context() as patched:
        patched.setattr(os, "fsync", full)
        run.turn(times=3)
    assert run.done == []
    run.turn()

    assert sorted(run.done) == sorted(OUTPUTS)
    assert queue.runs == dict.fromkeys(OUTPUTS, 1)
    assert sum("No space left on device" in words for words in run.said) == 2
    assert not any("Traceback" in words for words in run.said)


def test_holds_of_a_kind_are_one_line(tmp_path: Path, queue: FakeSchedd) -> None:
    run = Run(tmp_path)
    run.ask_for_what_is_missing()
    run.turn()
    for proc in range(3):
        tell(queue.log(1), "held", 1, proc, value=1)
    run.turn(times=2)

    assert run.said[1:] == [words for words in run.said if "(and 2 more): held by hand" in words]
    assert len(run.said) == 2


def test_vanished_jobs_are_noticed_by_the_query(
    tmp_path: Path, queue: FakeSchedd, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = Run(tmp_path)
    run.ask_for_what_is_missing()
    run.turn()
    log = queue.log(1).read_text()
    queue.remove([batch.id for batch in Batch.open_ones(tmp_path, "batches")], "")
    queue.log(1).write_text(log)
    run.turn()
    assert run.failed == {}

    monkeypatch.setattr(loop_module, "QUERY_S", 0.0)
    run.turn()

    assert "vanished" in run.failed[OUTPUTS[0]]


@pytest.mark.parametrize(
    ("end", "told"), [("cancelled", "failed"), ("failed permanently", "failed"), ("completed", "done")]
)
def test_end_that_another_program_wrote_ends_the_wait(
    tmp_path: Path, queue: FakeSchedd, end: End, told: str
) -> None:
    run = Run(tmp_path)
    run.ask_for_what_is_missing()
    run.turn()
    (batch,) = Batch.open_ones(tmp_path, "batches")
    entry = batch.entries[1]
    if end == "completed":
        (tmp_path / "out").mkdir()
        (tmp_path / entry.output).write_text("sound\n")
    Ledger(batch.ledger).write([JobRecord(entry.name, entry.output, end, "another program")])

    run.turn()
    assert {"done": run.done, "failed": list(run.failed)}[told] == [entry.output]
    queue.work()
    run.turn()

    assert {*run.done, *run.failed} == set(OUTPUTS)
    assert run.loop.waited_for() == 0
    assert batch.closed


def test_batch_that_another_program_ended_whole(tmp_path: Path, queue: FakeSchedd) -> None:
    run = Run(tmp_path)
    run.ask_for_what_is_missing()
    run.turn()
    (batch,) = Batch.open_ones(tmp_path, "batches")
    queue.work()
    assert len(settle(batch)) == 3

    run.turn()

    assert sorted(run.done) == sorted(OUTPUTS)


def test_batch_that_was_taken_back_before_it_was_submitted(
    tmp_path: Path, queue: FakeSchedd, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(loop_module, "BACK_OFF_S", (0.0,))
    run = Run(tmp_path)
    run.turn()
    queue.up = False
    run.ask_for_what_is_missing()
    run.turn()
    next(Batch.open_ones(tmp_path, "batches")).mark("cancelled")

    queue.up = True
    run.turn()

    assert run.failed == dict.fromkeys(OUTPUTS, "taken back before it was submitted")
    assert queue.in_queue([path.name for path in tmp_path.glob("batches/*")]) == {}


def test_folder_that_is_gone_ends_the_wait(
    tmp_path: Path, queue: FakeSchedd, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = Run(tmp_path)
    run.ask_for_what_is_missing()
    run.turn()
    (tmp_path / "batches").rename(tmp_path / "moved")
    run.turn()
    assert run.failed == {}

    monkeypatch.setattr(loop_module, "MISSING_S", 0.0)
    run.turn()

    assert set(run.failed) == set(OUTPUTS)
    assert "is gone. Put it back" in run.failed[OUTPUTS[0]]


class Crash(BaseException):
    """A kill -9, as far as Python can have one."""


@dataclass
class Instants:
    """Counts what reaches the disk or the queue, and crashes before or after one of it."""

    fatal: int
    passed: int = 0

    def __call__(self, function: Callable[..., Any]) -> Callable[..., Any]:
        def watched(*given: Any, **named: Any) -> Any:
            self.tick()
            result = function(*given, **named)
            self.tick()
            return result

        return watched

    def tick(self) -> None:
        self.passed += 1
        if self.passed == self.fatal:
            raise Crash


def crashing_runs(root: Path, queue: FakeSchedd, monkeypatch: pytest.MonkeyPatch) -> Iterator[int]:
    """Run until the end with a crash at instant 1, then at 2, ...; until there is none left."""
    for fatal in range(1, 1000):
        folder = root / str(fatal)
        folder.mkdir()
        instants = Instants(fatal)
        with monkeypatch.context() as patched:
            for module, name in ((os, "sync"), (os, "fsync"), (os, "replace"), (Path, "rename")):
                patched.setattr(module, name, instants(getattr(module, name)))
            patched.setattr(loop_module.schedd, "submit", instants(queue.submit))
            try:
                work_through(folder, queue)
            except Crash:
                pass
            else:
                return
        queue.work()
        yield fatal


def work_through(folder: Path, queue: FakeSchedd) -> Run:
    run = Run(folder)
    run.ask_for_what_is_missing()
    run.turn()
    queue.work()
    run.turn(times=2)
    return run


def test_no_crash_costs_or_doubles_a_job(
    tmp_path: Path, queue: FakeSchedd, monkeypatch: pytest.MonkeyPatch
) -> None:
    crashes = 0
    for fatal in crashing_runs(tmp_path, queue, monkeypatch):
        run = work_through(tmp_path / str(fatal), queue)

        assert run.failed == {}, fatal
        assert all((tmp_path / str(fatal) / output).read_text() == "sound\n" for output in OUTPUTS), fatal
        assert list(Batch.open_ones(tmp_path / str(fatal), "batches")) == [], fatal
        assert queue.runs == dict.fromkeys(OUTPUTS, 1), fatal
        queue.runs.clear()
        crashes = fatal

    assert crashes > 20
