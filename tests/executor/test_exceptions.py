"""Whatever a callback, the queue or the disk raises, at whichever call: the loop goes on, or the run ends and
the next one finds every job."""

from __future__ import annotations

import errno
import os
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from fakes import SHAPE, FakeSchedd
from hypothesis import given, settings
from hypothesis import strategies as st

from snakemake_executor_plugin_condorsweep import loop as loop_module
from snakemake_executor_plugin_condorsweep.batch import Batch, remove_leftovers
from snakemake_executor_plugin_condorsweep.follower import move
from snakemake_executor_plugin_condorsweep.gathering import Task
from snakemake_executor_plugin_condorsweep.loop import Loop, Plan, Reports
from snakemake_executor_plugin_condorsweep.schedd import Refused, Unreachable
from snakemake_executor_plugin_condorsweep.submit_file import Site

OUTPUTS = ("out/a.txt", "out/b.txt", "out/c.txt")

#: More turns than any fault is tried again.
TURNS = 60

RAISED = (
    BrokenPipeError(errno.EPIPE, "Broken pipe"),
    OSError(errno.EIO, "Input/output error"),
    OSError(errno.ENOSPC, "No space left on device"),
    RuntimeError("set changed size during iteration"),
    KeyError("lost"),
    MemoryError(),
    RecursionError(),
    SystemExit(1),
    AssertionError(),
)

#: A disk or a connection is waited for as long as it takes.
LASTING = [error for error in RAISED if not isinstance(error, OSError)]

CALLBACKS = ("done", "failed", "say", "busy", "accept", "give_up")
QUEUE = ("submit", "in_queue", "remove", "remove_jobs")
DISK = ("sync", "fsync", "replace", "rename")


@dataclass
class Faulty:
    """Makes the calls of one name raise, from a certain one on and so often.

    Attributes
    ----------
    after : whether the call does its work before it raises
    """

    name: str
    error: BaseException
    first: int
    times: int
    after: bool = False
    calls: int = 0

    def around(self, name: str, function: Callable[..., Any]) -> Callable[..., Any]:
        def called(*given: Any, **named: Any) -> Any:
            fatal = name == self.name and self._is_due()
            if fatal and not self.after:
                raise self.error
            result = function(*given, **named)
            if fatal:
                raise self.error
            return result

        return called

    def _is_due(self) -> bool:
        self.calls += 1
        return self.first <= self.calls < self.first + self.times


NONE = Faulty("nothing", KeyError(), 0, 0)


@dataclass
class Run:
    """A controller whose surroundings fail, as Snakemake would see it."""

    root: Path
    faulty: Faulty
    done: list[str] = field(default_factory=list)
    failed: list[str] = field(default_factory=list)
    broken: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        around = self.faulty.around
        reports = Reports(
            done=around("done", lambda task: self.done.append(task.output)),
            failed=around("failed", lambda task, reason: self.failed.append(task.output)),
            say=around("say", lambda words: None),
            broken=self.broken.append,
        )
        plan = Plan(
            self.root,
            "batches",
            Site(),
            around("accept", move),
            around("give_up", lambda output, reason: None),
        )
        remove_leftovers(self.root, "batches")
        left = list(Batch.open_ones(self.root, "batches"))
        self.loop = Loop(plan, reports, around("busy", lambda: False), left)

    def follow(self, queue: FakeSchedd) -> None:
        """Until every task has an end, or the run is over."""
        missing = [output for output in OUTPUTS if not (self.root / output).exists()]
        self.loop.take([Task(None, SHAPE, output, (), "true") for output in missing], {})

        for _ in range(TURNS):
            if self.broken or {*self.done, *self.failed} >= set(missing):
                return
            self.loop.turn()
            queue.work()
        raise AssertionError(f"waits for ever: done {self.done}, failed {self.failed}")


def surround(faulty: Faulty, queue: FakeSchedd, patched: pytest.MonkeyPatch) -> None:
    patched.setattr(loop_module, "BACK_OFF_S", (0.0,))
    patched.setattr(loop_module, "QUERY_S", 0.0)
    for name in QUEUE:
        patched.setattr(loop_module.schedd, name, faulty.around(name, getattr(queue, name)))
    patched.setattr(os, "sync", lambda: None)  # of the whole machine: slow, and nothing here needs it
    for name in DISK:
        owner: Any = Path if name == "rename" else os
        patched.setattr(owner, name, faulty.around(name, getattr(owner, name)))


FAULTS = st.builds(
    Faulty,
    name=st.sampled_from((*CALLBACKS, *QUEUE, *DISK)),
    error=st.sampled_from((*RAISED, Unreachable("no answer"), Refused("broke"))),
    first=st.integers(1, 6),
    times=st.sampled_from((1, 2, 5)),
)


@settings(max_examples=150)
@given(faulty=FAULTS, after=st.booleans())
def test_exception_anywhere_costs_and_doubles_nothing(faulty: Faulty, after: bool) -> None:
    faulty.after = after and faulty.name in (*QUEUE, *DISK)
    faulty.calls = 0
    queue = FakeSchedd()

    with tempfile.TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patched:
        root = Path(folder)
        surround(faulty, queue, patched)
        first = Run(root, faulty)
        first.follow(queue)
        surround(NONE, queue, patched)
        second = Run(root, NONE)
        second.follow(queue)

        assert all((root / output).read_text() == "sound\n" for output in OUTPUTS)
        assert second.failed == [] == second.broken
        assert len(first.done) == len(set(first.done))
        assert set(queue.runs.values()) == {1}


@pytest.mark.parametrize("error", LASTING, ids=lambda error: type(error).__name__)
@pytest.mark.parametrize("name", ["accept", "done", "busy", "submit", "say"])
def test_fault_that_stays_ends_the_run_and_the_next_one_finds_its_jobs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, error: BaseException
) -> None:
    faulty = Faulty(name, error, first=1, times=10_000)
    queue = FakeSchedd()
    surround(faulty, queue, monkeypatch)
    first = Run(tmp_path, faulty)
    first.follow(queue)
    assert bool(first.broken or first.failed) == (name != "say")

    with monkeypatch.context() as patched:
        surround(NONE, queue, patched)
        second = Run(tmp_path, NONE)
        second.follow(queue)

    assert all((tmp_path / output).exists() for output in OUTPUTS)
    assert set(queue.runs.values()) == {1}


class Killed(BaseException):
    """What no code expects."""


def test_thread_that_ends_is_not_waited_for(tmp_path: Path) -> None:
    run = Run(tmp_path, Faulty("busy", Killed(), first=1, times=1))
    run.loop.take([Task(None, SHAPE, OUTPUTS[0], (), "true")], {})
    run.loop.run()

    (words,) = run.broken
    assert "The executor cannot go on: Killed" in words
    assert "stay in the queue" in words
