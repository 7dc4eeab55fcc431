"""Submit and follow jobs in a thread that no error ends; only Ctrl-C removes jobs."""

from __future__ import annotations

import threading
import time
from collections import defaultdict, deque
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

from snakemake_executor_plugin_condorsweep import schedd, speech
from snakemake_executor_plugin_condorsweep.batch import Batch, Entry, names_of
from snakemake_executor_plugin_condorsweep.events import Job
from snakemake_executor_plugin_condorsweep.follower import Accept, Follower, GiveUp, Queue
from snakemake_executor_plugin_condorsweep.gathering import Gathering, Task
from snakemake_executor_plugin_condorsweep.ledger import JobRecord
from snakemake_executor_plugin_condorsweep.parcel import is_there
from snakemake_executor_plugin_condorsweep.sameness import Contents, difference
from snakemake_executor_plugin_condorsweep.submit_file import Site, files_of

POLL_S = 1.0
QUERY_S = 60.0

#: Waits between attempts to reach the schedd.
BACK_OFF_S = (1.0, 2.0, 5.0, 10.0, 30.0, 60.0)

#: More ends than this between two looks at the log share a line.
SAID_SINGLY = 5

#: An output that arrives damaged is made again so often.
AGAIN = 2

#: So many turns in a row a fault of the executor is taken for one that passes.
PATIENCE = 20

#: So long a batch's folder may be out of sight.
MISSING_S = 60.0


@dataclass(frozen=True)
class Reports:
    """Name the functions that the loop reports to.

    A job is done; a job has failed and why; a line for the user; the loop cannot go on, and why.
    """

    done: Callable[[Task], None]
    failed: Callable[[Task, str], None]
    say: Callable[[str], None]
    broken: Callable[[str], None] = lambda words: None


@dataclass(frozen=True)
class Plan:
    """Say how the loop works: where batches lie, what is said of the site, what is done with outputs.

    ``by_output``: a job whose output is in flight is waited for, whatever it is made from now.
    """

    root: Path
    batches: str
    site: Site
    accept: Accept | None
    give_up: GiveUp | None
    by_output: bool = False


@dataclass(frozen=True)
class End:
    """Tell how an entry of a batch has ended."""

    batch: Batch
    entry: Entry
    record: JobRecord


class Loop(threading.Thread):
    """Take tasks, collect them in batches, submit these and follow them to their ends."""

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
        self._ended: dict[str, End] = {}
        self._contents = Contents(plan.root)
        self._queried = time.monotonic()
        self._troubles = 0
        self._faults = 0
        self._missing: dict[str, float] = {}  # by batch, when its folder was not there first
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
        """Return how many jobs of this run are in the queue."""
        return len(self._waiting)

    def cancel(self) -> None:
        """Take the batches back that only this run waits for."""
        self.stop()
        followers = list((self._followers or {}).values())
        ours = [one for one in followers if self._is_ours(one)]
        shared = [one for one in followers if not self._is_ours(one) and self._wanted(one)]

        for follower in ours:
            self._mark_cancelled(follower.batch)
        jobs = sum(len(follower.open_entries) for follower in ours)

        try:
            schedd.remove([follower.batch.id for follower in ours], "Ctrl-C in snakemake")
        except schedd.Unreachable as error:
            self._say(
                f"{speech.jobs_that(jobs, 'is', 'are')} to be removed, "
                f"but the schedd does not answer ({error}). "
                "The next run removes them."
            )
            return
        if jobs:
            self._say(f"Removed {speech.jobs_that(jobs)} from the queue.")
        for follower in shared:
            self._say(f"Batch {follower.batch.id} stays: it holds jobs that this run did not ask for.")

    def _mark_cancelled(self, batch: Batch) -> None:
        try:
            batch.mark("cancelled")
        except OSError as error:
            self._say(
                f"{batch.path} cannot be marked as cancelled ({error}); its jobs are removed all the same."
            )

    # --- the thread -------------------------------------------------------------------------------------

    def run(self) -> None:
        """Work until told to stop.

        Were this thread to end without a word, Snakemake would wait for ever.
        """
        try:
            while not self._stopping.wait(POLL_S if self._followers is not None else 0.0):
                speech.release_dead_ends()
                self.turn()
        except BaseException as error:
            self._break(speech.in_words(error))

    def turn(self) -> None:
        """Do what there is to do now; an error keeps it for later and never costs a job."""
        try:
            self._work()
        except schedd.Unreachable as error:
            self._wait("The schedd does not answer", error)
        except OSError as error:
            self._wait("The disk does not take what is to be written", error)
        except (Exception, SystemExit) as error:  # a function of the user's may call sys.exit
            self._stumble(speech.in_words(error))

    def _stumble(self, fault: str) -> None:
        """Go on after a fault of the executor, unless it stays."""
        self._complain(f"An error of the executor; jobs stay in the queue: {fault}. Trying again.")
        self._faults += 1
        if self._faults >= PATIENCE:
            self._break(fault)

    def _break(self, fault: str) -> None:
        """Let the run end, with the jobs in the queue."""
        self._stopping.set()
        self._reports.broken(
            f"The executor cannot go on: {fault}. "
            f"{speech.jobs_that(self.waited_for(), 'stays', 'stay')} in the queue; "
            "the same command finds them again."
        )

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
        self._faults = 0
        if self._troubles:
            self._say("It goes on.")
            self._troubles = 0

    def _take_up(self) -> dict[str, Follower]:
        """Take up batches that earlier runs left open; forget what never got into the queue."""
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
            self._say(f"Re-attached {speech.jobs_that(jobs)} of earlier runs, in flight or ended meanwhile.")
        return kept

    def _follow(self, batch: Batch) -> Follower:
        return Follower(batch, self._plan.accept, self._plan.give_up)

    def _sort_arrivals(self) -> None:
        """Attach what is in flight already; collect the rest."""
        flying = self._in_flight() if self._arrivals else {}
        while self._arrivals:
            task = self._arrivals[0]
            if not (self._attaches(task, flying) or self._has_ended(task)):
                self._gathering.add(task, time.monotonic())
            self._arrivals.popleft()

    def _attaches(self, task: Task, flying: dict[str, tuple[Follower, Entry]]) -> bool:
        """Wait for the job that makes a task's output already; one that makes something else ends."""
        while any(output in flying for output in task.outputs):
            follower, entry = next(flying[output] for output in task.outputs if output in flying)
            changed = self._difference(entry, task)
            if not changed:
                self._waiting[follower.batch.id, entry.output] = replace(task, again=entry.again)
                return True

            self._take_back(follower, entry, changed)
            for output in entry.outputs:
                flying.pop(output, None)
        return False

    def _has_ended(self, task: Task) -> bool:
        """Report a task whose job has ended before it came; a failure of something else does not count."""
        if task.output not in self._ended:
            return False

        ended = self._ended[task.output]
        counts = ended.record.end == "completed" or not self._difference(ended.entry, task)
        if counts:
            self._report(task, ended)
        del self._ended[task.output]
        return counts

    def _difference(self, entry: Entry, task: Task) -> str:
        return "" if self._plan.by_output else difference(entry, task, self._contents)

    def _take_back(self, follower: Follower, entry: Entry, changed: str) -> None:
        """End an entry whose output nobody wants any more, and its job."""
        self._say(
            f"{entry.output}: {changed} since it was submitted; that job is removed, and it is made again."
        )
        if len(follower.open_entries) == 1:
            schedd.remove([follower.batch.id], changed)  # also jobs that have not come into being
        follower.take_back(entry, changed)

    def _in_flight(self) -> dict[str, tuple[Follower, Entry]]:
        """Return the open entries by each of their outputs."""
        return {
            output: (follower, entry)
            for follower in (self._followers or {}).values()
            if not follower.batch.cancelled
            for entry in follower.open_entries
            for output in entry.outputs
        }

    def _write(self, tasks: list[Task]) -> None:
        """Put a batch on disk; from here on a crash loses nothing of it."""
        assert self._followers is not None
        plan = self._plan
        names = names_of([task.output for task in tasks])
        entries = [
            Entry(
                name=name,
                output=task.output,
                inputs=task.inputs,
                command=task.command,
                log=task.log,
                again=task.again,
                image=task.shape.image,
                contents=() if plan.by_output else self._contents.of(task),
                parcel=task.parcel,
                in_place=task.shape.in_place,
            )
            for name, task in zip(names, tasks, strict=True)
        ]
        batch = Batch.new(plan.root, plan.batches, tasks[0].shape.rule, entries)
        batch.write(files_of(batch, tasks[0].shape, plan.site))
        self._set_aside(batch)
        follower = self._follow(batch)
        self._followers[batch.id] = follower
        self._unsubmitted.append(follower)
        self._waiting.update({(batch.id, task.output): task for task in tasks})

    @staticmethod
    def _set_aside(batch: Batch) -> None:
        try:
            for entry in batch.entries:
                batch.set_aside(entry)
        except OSError:
            batch.discard()
            raise

    def _submit(self, follower: Follower) -> None:
        batch = follower.batch
        if batch.cancelled or not batch.is_there:
            self._refused(follower, "taken back before it was submitted")
            return

        before = self._attempts.get(batch.id)
        if before is not None and self._is_known(follower):
            return  # an attempt that seemed to fail did not

        self._attempts[batch.id] = ""
        try:
            cluster = schedd.submit((batch.folder / "jobs.sub").read_text())
        except schedd.Refused as error:
            if str(error) != before:  # a connection that breaks looks the same, once
                self._attempts[batch.id] = str(error)
                raise schedd.Unreachable(str(error)) from error
            self._refused(follower, f"HTCondor refuses {batch.path}/jobs.sub: {error}")
            return
        jobs = len(batch.entries)
        self._say(
            f"Submitted {speech.jobs_that(jobs)} of rule {batch.rule} as cluster {cluster} ({batch.path})."
        )

    @staticmethod
    def _is_known(follower: Follower) -> bool:
        """Return True if HTCondor has the jobs of a batch, or had them."""
        follower.look()
        return follower.submitted or follower.batch.id in schedd.in_queue([follower.batch.id])

    def _refused(self, follower: Follower, words: str) -> None:
        """Fail the jobs of a batch of which nothing is in the queue, and nothing will be."""
        batch = follower.batch
        if batch.is_there:
            batch.mark("closed")
        self._fail(follower, words)

    def _fail(self, follower: Follower, words: str) -> None:
        """Follow a batch no longer: all that is still waited for has failed."""
        for entry in follower.batch.entries:
            self._fail_one(follower.batch, entry.output, words)
        if self._followers is not None:
            self._followers.pop(follower.batch.id, None)

    def _fail_one(self, batch: Batch, output: str, words: str) -> None:
        task = self._waiting.get((batch.id, output))
        if task is not None:
            self._reports.failed(task, words)
            del self._waiting[batch.id, output]

    def _ask(self) -> dict[str, Queue] | None:
        """Ask the queue once a minute: jobs may vanish without a word in the log."""
        if time.monotonic() - self._queried < QUERY_S or not self._followers:
            return None
        self._queried = time.monotonic()
        return schedd.in_queue(self._followers)

    def _settle(self, queued: dict[str, Queue] | None) -> None:
        """Take the ends of every batch; the trouble of one keeps no other from its end."""
        troubles: list[BaseException] = []
        for follower in list((self._followers or {}).values()):
            if follower in self._unsubmitted:
                continue
            queue = None if queued is None else queued.get(follower.batch.id, set())
            try:
                self._follow_up(follower, queue)
            except (Exception, SystemExit) as trouble:
                troubles.append(trouble)
        if troubles:
            raise troubles[0]

    def _follow_up(self, follower: Follower, queue: Queue | None) -> None:
        """Read what is new of a batch, and pass it on."""
        if self._is_missing(follower):
            return

        follower.step(queue)
        self._take_ends(follower)
        self._say_holds(follower)
        self._say_odd(follower)
        self._complain(follower.trouble)
        for output, fault in follower.stuck.items():
            self._fail_one(
                follower.batch, output, f"what arrived cannot be accepted: {fault}. It waits in the inbox"
            )

        self._remove_strays(follower)
        if not follower.open_entries and self._followers is not None:
            del self._followers[follower.batch.id]

    @staticmethod
    def _remove_strays(follower: Follower) -> None:
        """Remove jobs whose entries were taken back, also those that come into being only now."""
        if follower.strays:
            schedd.remove_jobs([(job.cluster, job.proc) for job in follower.strays], "taken back before")
            follower.strays.clear()

    def _is_missing(self, follower: Follower) -> bool:
        """Return True if the folder of a batch is not there.

        It may be away for a moment, or moved or removed by somebody.
        """
        batch = follower.batch
        if batch.is_there:
            self._missing.pop(batch.id, None)
            return False

        since = self._missing.setdefault(batch.id, time.monotonic())
        if time.monotonic() - since >= MISSING_S:
            self._fail(
                follower,
                f"the folder {batch.path} is gone. Put it back, then run again; or remove its jobs with "
                f"`condor_rm -constraint '{schedd.ATTRIBUTE} == \"{batch.id}\"'`",
            )
        return True

    def _take_ends(self, follower: Follower) -> None:
        told = []
        while follower.untold:
            self._take_end(follower, follower.untold[0])
            told.append(follower.untold.popleft())
        self._say_ends(told)

    def _take_end(self, follower: Follower, record: JobRecord) -> None:
        key = follower.batch.id, record.output
        entry = follower.entry(record.entry)
        if key in self._waiting:
            self._report(self._waiting[key], End(follower.batch, entry, record))
            del self._waiting[key]
        elif record.end in ("completed", "failed permanently"):
            self._ended[record.output] = End(follower.batch, entry, record)  # its job may still come

    def _report(self, task: Task, ended: End) -> None:
        record = ended.record
        again = self._why_again(task, ended)
        if again and task.again < AGAIN:
            self._say(f"{record.output} {again}; it is made again.")
            self._arrivals.append(replace(task, again=task.again + 1))
            return

        if record.end == "damaged" and self._plan.give_up is not None:
            self._plan.give_up(self._plan.root / record.output, record.reason)

        if all(is_there(self._plan.root / output) for output in task.outputs):
            self._reports.done(task)
        else:
            self._reports.failed(task, record.reason or again)

    def _why_again(self, task: Task, ended: End) -> str:
        """Say why an output does not count; one made from older inputs is set aside at once."""
        if ended.record.end == "damaged":
            return f"arrived damaged ({ended.record.reason})"

        changed = self._difference(ended.entry, task) if ended.record.end == "completed" else ""
        if changed:
            ended.batch.set_aside(ended.entry)
            return f"is not what is asked for: {changed} since it was submitted"
        return ""

    # --- words ------------------------------------------------------------------------------------------

    def _say(self, words: str) -> None:
        """Say something, and go on whether it is heard or not."""
        with suppress(Exception, SystemExit):
            self._reports.say(words)

    def _say_ends(self, records: Sequence[JobRecord]) -> None:
        """Print a line for each job that has ended; for many at once one line for all."""
        left = len(self._waiting)
        if len(records) > SAID_SINGLY:
            completed = sum(record.end == "completed" for record in records)
            self._say(f"{completed} of {len(records)} more jobs completed; {left} left.")
            return

        for record in records:
            ran = f" on {record.host} after {record.run_s:.0f} s" if record.run_s is not None else ""
            why = f": {record.reason}" if record.reason else ""
            self._say(f"{record.entry}: {record.end}{ran}{why}; {left} left.")

    def _say_holds(self, follower: Follower) -> None:
        """Print one line for each cause, with one job as the example."""
        causes: dict[tuple[int, int], list[Job]] = defaultdict(list)
        for job in follower.newly_held():
            causes[job.holds[-1].code, job.holds[-1].subcode].append(job)

        for jobs in causes.values():
            output = follower.batch.entries[jobs[0].proc].output
            others = f" (and {len(jobs) - 1} more)" if len(jobs) > 1 else ""
            self._say(f"{output}, job {jobs[0].id}{others}: {jobs[0].holds[-1].words}")

    def _say_odd(self, follower: Follower) -> None:
        """Name an event that cannot be read; the query of the queue makes up for what it said."""
        odd = [" ".join(text.split())[:100] for text in follower.log.newly_odd()]
        if odd:
            others = f" (and {len(odd) - 1} more)" if len(odd) > 1 else ""
            self._say(f"{follower.batch.path}/events.log: passed over what is no event{others}: {odd[0]!r}")

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
        """Return True if nobody but this run waits for the batch."""
        return bool(follower.open_entries) and all(self._asked_for(follower))

    def _wanted(self, follower: Follower) -> bool:
        return any(self._asked_for(follower))

    def _asked_for(self, follower: Follower) -> list[bool]:
        return [(follower.batch.id, entry.output) in self._waiting for entry in follower.open_entries]
