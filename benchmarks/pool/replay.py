"""Replay the log of very many packs to the executor's own loop, without a queue."""

from __future__ import annotations

import math
import re
import shutil
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from unittest.mock import patch

from anisweep.artifacts import reading
from snakemake_executor_plugin_condorsweep import loop as executor
from snakemake_executor_plugin_condorsweep.batch import Batch, Entry, names_of
from snakemake_executor_plugin_condorsweep.follower import move
from snakemake_executor_plugin_condorsweep.gathering import Task
from snakemake_executor_plugin_condorsweep.submit_file import Shape, Site

END_OF_EVENT = "...\n"


@dataclass(frozen=True)
class Replay:
    """CPU time of the loop: log, verified artifacts, ledger; outputs are called `sample.N.txt`.

    Attributes
    ----------
    seconds : in which the events are taken to come, one turn of the loop each
    share : of one core
    names_s : CPU time for the names of all jobs, which their outputs alone tell apart
    """

    jobs: int
    events: int
    seconds: int
    cpu_s: float
    share: float
    names_s: float = 0.0


def replay(sample: Path, artifact: Path, jobs: int, seconds: int) -> Replay:
    """Let the events of a real log, repeated for other jobs, come within some time.

    Parameters
    ----------
    sample : the event log of a batch whose jobs all ended well
    artifact : what each job sends back; every copy is read to its last byte
    """
    with tempfile.TemporaryDirectory() as folder, patch.object(executor, "QUERY_S", math.inf):
        outputs = [f"results/samples/sample.{number}.txt" for number in range(jobs)]
        started = time.process_time()
        names = names_of(outputs)
        names_s = time.process_time() - started

        batch = _batch(Path(folder), names, outputs)
        for entry in batch.entries:
            shutil.copyfile(artifact, batch.root / batch.inbox(entry))

        events = list(_events(sample.read_text(), jobs))
        done: list[Task] = []
        cpu_s = _follow(_loop(batch, done), batch.events, events, seconds)

    if len(done) != jobs:
        raise RuntimeError(f"{len(done)} of {jobs} packs completed in the replay")
    return Replay(jobs, len(events), seconds, cpu_s, cpu_s / seconds, names_s)


def _follow(loop: executor.Loop, log: Path, events: list[str], seconds: int) -> float:
    """The CPU time of a turn each second, before which the events of that second have come."""
    cpu_s = 0.0

    for second in range(seconds):
        _append(log, events[_part(second, seconds, len(events))])
        started = time.process_time()
        loop.turn()  # as its thread does each second
        cpu_s += time.process_time() - started
    return cpu_s


def _batch(root: Path, names: list[str], outputs: list[str]) -> Batch:
    entries = [Entry(name, output, (), "true") for name, output in zip(names, outputs, strict=True)]
    batch = Batch.new(root, "results/batches", "measure_pack", entries)
    batch.write({})
    return batch


def _loop(batch: Batch, done: list[Task]) -> executor.Loop:
    """A loop that waits for all jobs of a batch which an earlier controller submitted."""
    plan = executor.Plan(batch.root, "results/batches", Site(), _accept, None)
    reports = executor.Reports(done=done.append, failed=_fail, say=lambda words: None)
    loop = executor.Loop(plan, reports, busy=lambda: False, left=[batch])
    shape = Shape("measure_pack", "image.sif")
    loop.take([Task(None, shape, entry.output, (), entry.command) for entry in batch.entries], {})
    return loop


def _accept(arrived: Path, output: Path) -> None:
    reading.read(arrived)
    move(arrived, output)


def _fail(task: Task, reason: str) -> None:
    raise RuntimeError(f"{task.output}: {reason}")


def _events(sample: str, jobs: int) -> Iterator[str]:
    """The events of the sample, again and again, each time for the next jobs."""
    events = [text + END_OF_EVENT for text in sample.split(END_OF_EVENT) if text.strip()]
    of_jobs = [event for event in events if re.match(r"\d{3} \(\d+\.\d", event)]
    size = 1 + max(_number(event) for event in of_jobs)

    for first in range(0, jobs, size):
        for event in of_jobs:
            if first + _number(event) < jobs:
                yield _renumbered(event, first + _number(event))


def _number(event: str) -> int:
    return int(event.split(".", 2)[1])


def _renumbered(event: str, number: int) -> str:
    before, _, after = event.split(".", 2)
    return f"{before}.{number:03}.{after}"


def _part(turn: int, turns: int, count: int) -> slice:
    return slice(count * turn // turns, count * (turn + 1) // turns)


def _append(file: Path, events: list[str]) -> None:
    with file.open("a") as stream:
        stream.writelines(events)
