"""The thread that submits and follows. Nothing in it ends a run, and nothing but a Ctrl-C removes a job."""

from __future__ import annotations

import threading
import time
import traceback
from collections import defaultdict, deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from snakemake_executor_plugin_condorsweep import schedd
from snakemake_executor_plugin_condorsweep.batch import Batch, Entry, names_of
from snakemake_executor_plugin_condorsweep.describe import Site, files_of
from snakemake_executor_plugin_condorsweep.events import Job
from snakemake_executor_plugin_condorsweep.gathering import Gathering, Task
from snakemake_executor_plugin_condorsweep.journey import Journey
from snakemake_executor_plugin_condorsweep.settle import Accept, Follower, GiveUp

POLL_S = 1.0
QUERY_S = 60.0

#: Waits between attempts to reach the schedd.
BACK_OFF_S = (1.0, 2.0, 5.0, 10.0, 30.0, 60.0)

#: More ends than this between two looks at the log share a line.
SAID_SINGLY = 5

#: An output that comes home damaged is made again so often.
AGAIN = 2


@dataclass(frozen=True)
class Reports:
    """Where the loop's findings go: a job is done, a job has failed and why, a line for the user."""

    done: Callable[[Task], None]
    failed: Callable[[Task, str], None]
    say: Callable[[str], None]


@dataclass(frozen=True)
class Plan:
    """How the loop works: where batches lie, what is said of the site, what is done with outputs."""

    root: Path
    batches: str
    site: Site
    accept: Accept | None
    give_up: GiveUp | None


class Loop(threading.Thread):
    """Takes tasks, gathers them into batches, submits these and follows them to their ends."""

    def __init__(self, plan: Plan, reports: Reports, busy: Callable[[], bool], left: Sequence[Batch]) -> None:
        super().__init__(name="condorsweep", daemon=True)
        self._plan = plan
        self._reports = reports
        self._busy = busy
        self._left = left
        self._arrivals: deque[Task] = deque()
        self._expected: dict[str, int] = {}
        self._gathering = Gathering()
        self._followers: dict[str, Follower] | None = None
        self._unwritten: list[list[Task]] = []
        self._unsubmitted: list[Follower] = []
        self._attempts: dict[str, str] = {}  # by batch, what the last one was answered
        self._waiting: dict[tuple[str, str], Task] = {}  # by batch and output
        self._ended: dict[str, Journey] = {}
        self._queried = time.monotonic()
        self._troubles = 0
        self._pause_until = 0.0
        self._complained: set[str] = set()
        self._stopping = threading.Event()

    # --- called by the main thread ----------------------------------------------------------------------

    def take(self, tasks: Sequence[Task], expected: dict[str, int]) -> None:
        """Take tasks, and the number of jobs of each rule that are still to come."""
        self._expected = expected
        self._arrivals.extend(tasks)

    def stop(self, patience_s: float = 10.0) -> None:
        """End the thread; jobs stay in the queue."""
        self._stopping.set()
        if self.is_alive():
            self.join(patience_s)

    def waited_for(self) -> int:
        """How many jobs of this run are in the queue."""
        return len(self._waiting)

    def cancel(self) -> None:
        """Take the batches back that only this run waits for."""
        self.stop()
        followers = list((self._followers or {}).values())
        ours = [one for one in followers if self._is_ours(one)]
        shared = [one for one in followers if not self._is_ours(one) and self._wanted(one)]

        for follower in ours:
            follower.batch.mark("cancelled")
        jobs = sum(len(follower.open_entries) for follower in ours)

        try:
            schedd.remove([follower.batch.id for follower in ours], "Ctrl-C in snakemake")
        except schedd.Unreachable as error:
            self._say(
                f"{jobs} jobs are to be removed, but the schedd does not answer ({error}). "
                "The next run removes them."
            )
            return
        if jobs:
            self._say(f"Removed {jobs} jobs from the queue.")
        for follower in shared:
            self._say(f"Batch {follower.batch.id} stays: it holds jobs that this run did not ask for.")

    # --- the thread -------------------------------------------------------------------------------------

    def run(self) -> None:
        while not self._stopping.wait(POLL_S if self._followers is not None else 0.0):
            self.turn()

    def turn(self) -> None:
        """Do what there is to do now. An error keeps it for later and never costs a job."""
        try:
            self._work()
        except schedd.Unreachable as error:
            self._wait("The schedd does not answer", error)
        except OSError as error:
            self._wait("The disk does not take what is to be written", error)
        except Exception:
            self._complain(f"An error of the executor; jobs stay in the queue.\n{traceback.format_exc()}")

    def _work(self) -> None:
        if time.monotonic() < self._pause_until:
            self._settle(None)
            return
        if self._followers is None:
            self._followers = self._take_up()

        self._sort_arrivals()
        if self._gathering:
            self._unwritten += self._gathering.due(time.monotonic(), self._expected, self._busy())
        while self._unwritten:
            self._write(self._unwritten[0])
            self._unwritten.pop(0)
        while self._unsubmitted:
            self._submit(self._unsubmitted[0])
            self._unsubmitted.pop(0)

        self._settle(self._ask())
        if self._troubles:
            self._say("It goes on.")
            self._troubles = 0

    def _take_up(self) -> dict[str, Follower]:
        """Batches that earlier runs left open. What never got into the queue is forgotten."""
        found = [self._follow(batch) for batch in self._left]
        for follower in found:
            follower.look()

        silent = [follower.batch for follower in found if not follower.submitted]
        queued = schedd.in_queue([batch.id for batch in silent]) if silent else {}
        lost = [batch for batch in silent if batch.id not in queued]
        for batch in lost:
            batch.discard()

        schedd.remove([one.batch.id for one in found if one.batch.cancelled], "taken back before")
        kept = {one.batch.id: one for one in found if one.batch not in lost}
        jobs = sum(len(follower.open_entries) for follower in kept.values())
        if jobs:
            self._say(f"{jobs} jobs of earlier runs are in flight or have ended meanwhile; re-attached.")
        return kept

    def _follow(self, batch: Batch) -> Follower:
        return Follower(batch, self._plan.accept, self._plan.give_up)

    def _sort_arrivals(self) -> None:
        """Attach what is in flight already; gather the rest."""
        flying = self._in_flight() if self._arrivals else {}
        while self._arrivals:
            task = self._arrivals.popleft()
            ended = self._ended.pop(task.output, None)

            if task.output in flying:
                batch, entry = flying[task.output]
                self._waiting[batch.id, task.output] = replace(task, again=entry.again)
            elif ended is not None:
                self._report(task, ended)
            else:
                self._gathering.add(task, time.monotonic())

    def _in_flight(self) -> dict[str, tuple[Batch, Entry]]:
        """Open entries by their outputs."""
        return {
            entry.output: (follower.batch, entry)
            for follower in (self._followers or {}).values()
            if not follower.batch.cancelled
            for entry in follower.open_entries
        }

    def _write(self, tasks: list[Task]) -> None:
        """Put a batch on disk. From here on a crash loses nothing of it."""
        assert self._followers is not None
        plan = self._plan
        names = names_of([task.output for task in tasks])
        entries = [
            Entry(name, task.output, task.inputs, task.command, task.log, task.again)
            for name, task in zip(names, tasks, strict=True)
        ]
        batch = Batch.new(plan.root, plan.batches, tasks[0].shape.rule, entries)
        batch.write(files_of(batch, tasks[0].shape, plan.site))
        for entry in entries:
            batch.set_aside(entry)
        follower = self._follow(batch)
        self._followers[batch.id] = follower
        self._unsubmitted.append(follower)
        self._waiting.update({(batch.id, task.output): task for task in tasks})

    def _submit(self, follower: Follower) -> None:
        batch = follower.batch
        before = self._attempts.get(batch.id)
        if before is not None and batch.id in schedd.in_queue([batch.id]):
            return  # an attempt that seemed to fail did not

        self._attempts[batch.id] = ""
        try:
            cluster = schedd.submit((batch.folder / "jobs.sub").read_text())
        except schedd.Refused as error:
            if str(error) != before:  # a connection that breaks looks the same, once
                self._attempts[batch.id] = str(error)
                raise schedd.Unreachable(str(error)) from error
            self._refused(follower, str(error))
            return
        jobs = len(batch.entries)
        self._say(f"Submitted {jobs} jobs of rule {batch.rule} as cluster {cluster} ({batch.path}).")

    def _refused(self, follower: Follower, words: str) -> None:
        """The description is wrong: nothing of this batch is in the queue."""
        assert self._followers is not None
        batch = follower.batch
        del self._followers[batch.id]
        for entry in batch.entries:
            task = self._waiting.pop((batch.id, entry.output))
            self._reports.failed(task, f"HTCondor refuses {batch.path}/jobs.sub: {words}")
        batch.mark("closed")

    def _ask(self) -> dict[str, set[tuple[int, int | None]]] | None:
        """The queue, once a minute: jobs may vanish without a word in the log."""
        if time.monotonic() - self._queried < QUERY_S or not self._followers:
            return None
        self._queried = time.monotonic()
        return schedd.in_queue(self._followers)

    def _settle(self, queued: dict[str, set[tuple[int, int | None]]] | None) -> None:
        for follower in list((self._followers or {}).values()):
            if follower in self._unsubmitted:
                continue
            queue = None if queued is None else queued.get(follower.batch.id, set())
            journeys = follower.step(queue)
            for journey in journeys:
                self._take_end(follower.batch, journey)
            self._say_ends(journeys)
            self._say_holds(follower)
            self._complain(follower.trouble)
            if not follower.open_entries and self._followers is not None:
                del self._followers[follower.batch.id]

    def _take_end(self, batch: Batch, journey: Journey) -> None:
        task = self._waiting.pop((batch.id, journey.output), None)
        if task is not None:
            self._report(task, journey)
        elif journey.end in ("home", "given up"):
            self._ended[journey.output] = journey  # its job may still come

    def _report(self, task: Task, journey: Journey) -> None:
        if journey.end == "damaged" and task.again < AGAIN:
            self._say(f"{journey.output} came home damaged ({journey.reason}); it is made again.")
            self._arrivals.append(replace(task, again=task.again + 1))
            return

        output = self._plan.root / journey.output
        if journey.end == "damaged" and self._plan.give_up is not None:
            self._plan.give_up(output, journey.reason)

        if output.exists():
            self._reports.done(task)
        else:
            self._reports.failed(task, journey.reason)

    # --- words ------------------------------------------------------------------------------------------

    def _say(self, words: str) -> None:
        self._reports.say(words)

    def _say_ends(self, journeys: Sequence[Journey]) -> None:
        """A line for each job that has ended; for many at once one line for all."""
        left = len(self._waiting)
        if len(journeys) > SAID_SINGLY:
            home = sum(journey.end == "home" for journey in journeys)
            self._say(f"{home} of {len(journeys)} more jobs at home; {left} left.")
            return

        for journey in journeys:
            ran = f" from {journey.host} after {journey.run_s:.0f} s" if journey.run_s is not None else ""
            why = f": {journey.reason}" if journey.reason else ""
            self._say(f"{journey.entry}: {journey.end}{ran}{why}; {left} left.")

    def _say_holds(self, follower: Follower) -> None:
        """One line for each cause, with one job as the example."""
        causes: dict[tuple[int, int], list[Job]] = defaultdict(list)
        for job in follower.newly_held():
            causes[job.holds[-1].code, job.holds[-1].subcode].append(job)

        for jobs in causes.values():
            output = follower.batch.entries[jobs[0].proc].output
            others = f" (and {len(jobs) - 1} more)" if len(jobs) > 1 else ""
            self._say(f"{output}, job {jobs[0].id}{others}: {jobs[0].holds[-1].words}")

    def _wait(self, trouble: str, error: Exception) -> None:
        """Say what keeps the loop from going on, now and then, and wait."""
        pause = BACK_OFF_S[min(self._troubles, len(BACK_OFF_S) - 1)]
        self._pause_until = time.monotonic() + pause
        if self._troubles % 10 == 0:
            self._say(f"{trouble} ({error}). Trying again; nothing is lost meanwhile.")
        self._troubles += 1

    def _complain(self, words: str) -> None:
        if words and words not in self._complained:
            self._complained.add(words)
            self._say(words)

    def _is_ours(self, follower: Follower) -> bool:
        """Whether nobody but this run waits for the batch."""
        return bool(follower.open_entries) and all(self._asked_for(follower))

    def _wanted(self, follower: Follower) -> bool:
        return any(self._asked_for(follower))

    def _asked_for(self, follower: Follower) -> list[bool]:
        return [(follower.batch.id, entry.output) in self._waiting for entry in follower.open_entries]
