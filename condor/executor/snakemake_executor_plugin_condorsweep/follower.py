"""Decide how each job of a batch ended: its output is accepted, or it has failed permanently."""

from __future__ import annotations

import os
import time
from collections import Counter, deque
from collections.abc import Callable, Iterator
from contextlib import suppress
from importlib import import_module
from itertools import islice
from pathlib import Path
from typing import Any

from snakemake_executor_plugin_condorsweep.batch import Batch, Entry
from snakemake_executor_plugin_condorsweep.events import EventLog, Job
from snakemake_executor_plugin_condorsweep.holds import BY_HAND
from snakemake_executor_plugin_condorsweep.ledger import End, JobRecord, Ledger
from snakemake_executor_plugin_condorsweep.parcel import bring_home, is_there, sync_folder
from snakemake_executor_plugin_condorsweep.speech import in_words

#: Takes the arrived file to its place (both paths are absolute). Raises ValueError when it is not sound.
Accept = Callable[[Path, Path], None]

#: Told the output, as an absolute path, and why it will not come. It may put a record in the output's place.
GiveUp = Callable[[Path, str], None]

#: So often a fault of `accept` or `give_up` is taken for one that passes.
PATIENCE = 20

#: So long a network file system may hide what another machine has written.
LATENCY_S = 60.0

#: What the queue holds: (cluster, proc), and (cluster, None) while more jobs of the cluster may come.
Queue = set[tuple[int, int | None]]


def settle(batch: Batch, accept: Accept | None = None, give_up: GiveUp | None = None) -> list[JobRecord]:
    """End what has ended, as the executor does; for programs that run without it.

    Returns
    -------
    list of JobRecord
        the job records of the entries that ended just now
    """
    return Follower(batch, accept, give_up).step()


def move(arrived: Path, output: Path) -> None:
    """Move an output to its place, which is done when nothing else is said."""
    output.parent.mkdir(parents=True, exist_ok=True)
    with arrived.open("rb") as stream:
        os.fsync(stream.fileno())
    os.replace(arrived, output)
    sync_folder(output.parent)


def function(name: str) -> Callable[..., Any] | None:
    """Return the function that a setting ``module:function`` names; None for an empty one.

    Raises
    ------
    ValueError
        when there is none
    """
    if not name:
        return None

    module, _, attribute = name.partition(":")
    try:
        found: Callable[..., Any] = getattr(import_module(module), attribute)
    except (ImportError, AttributeError, ValueError) as error:
        raise ValueError(f"{name!r} names no function ({error}). Write it as `module:function`.") from error
    return found


class Follower:
    """Follow one batch until all of its entries have ended, whoever ends them.

    Attributes
    ----------
    untold : the ends that have come since this began to follow; whoever reports them takes them out
    trouble : what kept an entry from being ended in the last step; the next step tries again
    stuck : by output, the fault that has kept an entry from being ended again and again
    strays : jobs in the queue whose entries were taken back
    """

    def __init__(self, batch: Batch, accept: Accept | None = None, give_up: GiveUp | None = None) -> None:
        self.batch = batch
        self.log = EventLog(batch.events, batch.since)
        self._ledger = Ledger(batch.ledger)
        self._accept = accept or move
        self._give_up = give_up
        self._jobs: dict[int, Job] = {}
        self._held: list[Job] = []
        self._due: set[int] = set()
        self._faults: Counter[str] = Counter()
        self.trouble = ""
        self.stuck: dict[str, str] = {}
        self.strays: list[Job] = []
        self.untold: deque[JobRecord] = deque()
        self._numbers = {entry.name: number for number, entry in enumerate(batch.entries)}
        self._open = dict(self._numbers)
        self._known = 0
        self._drop(self._ledger.read())
        self.untold.clear()  # known before this began

    @property
    def submitted(self) -> bool:
        """Return True if the log says that the batch was submitted."""
        return bool(self.log.clusters)

    @property
    def open_entries(self) -> list[Entry]:
        """Return the entries that have not ended."""
        return [self.batch.entries[number] for number in self._open.values()]

    def entry(self, name: str) -> Entry:
        """Return an entry by its name."""
        return self.batch.entries[self._numbers[name]]

    def take_back(self, entry: Entry, reason: str) -> None:
        """End an entry that is not wanted any more; its job becomes a stray."""
        with self._ledger.alone() as known:
            if entry.name not in known:
                self._ledger.write([JobRecord(entry.name, entry.output, "cancelled", reason)])
            self._drop(known)

        job = self._jobs.get(self._numbers[entry.name])
        if job is not None and not job.ended:
            self.strays.append(job)

    def newly_held(self) -> list[Job]:
        """Return the jobs that are held since the last call."""
        held, self._held = [job for job in self._held if job.state == "held"], []
        return held

    def look(self) -> None:
        """Read what is new in the log.

        A batch that was submitted twice has two jobs for an entry: the one that succeeded counts, else the
        last.
        """
        changed = [job for job in self.log.read() if job.proc < len(self.batch.entries)]
        self._held += changed
        for job in changed:
            known = self._jobs.get(job.proc)
            if known is None or not known.succeeded:
                self._jobs[job.proc] = job
        self._due.update(job.proc for job in changed if self._jobs[job.proc].ended)
        self.strays += [job for job in changed if job.state == "idle" and self._is_taken_back(job)]

    def _is_taken_back(self, job: Job) -> bool:
        ended = self._ledger.records.get(self.batch.entries[job.proc].name)
        return ended is not None and ended.end == "cancelled"

    def step(self, queue: Queue | None = None) -> list[JobRecord]:
        """Read what is new, end what has ended, and return the ends that are new, also those of others.

        Parameters
        ----------
        queue : what the queue held a moment *before* this call; jobs that neither it nor the log knows
            any more have failed permanently
        """
        told = len(self.untold)
        self.look()
        self._drop(self._ledger.read())
        if queue is not None or self.log.finished:
            self._due.update(number for number in self._open.values() if self._gone(number, queue))
        if self._to_end() or not self._open:
            self._settle()
        return list(islice(self.untold, told, None))

    def _settle(self) -> None:
        """End what is due while nobody else does."""
        with self._ledger.alone() as known:
            self._drop(known)
            self._ledger.write(list(self._end_due()))
            self._drop(known)
            if not self._open and not self.batch.closed:
                self.batch.mark("closed")

    def _gone(self, number: int, queue: Queue | None) -> bool:
        """Return True if the job of an entry has left the queue without a word."""
        job = self._jobs.get(number)
        clusters = {job.cluster} if job else set(self.log.clusters)
        if clusters and clusters <= self.log.finished:
            return True
        if queue is None:
            return False
        if job is None:
            return not any(proc is None for _, proc in queue)
        return (job.cluster, job.proc) not in queue

    def _to_end(self) -> list[int]:
        """Return the numbers of the entries that are due and have no line in the ledger."""
        return sorted(self._due & set(self._open.values()))

    def _end_due(self) -> Iterator[JobRecord]:
        """End what is due, each on its own: a full disk or a fault in `accept` may pass."""
        self.trouble = ""
        for number in self._to_end():
            entry = self.batch.entries[number]
            try:
                yield self._end(entry, self._jobs.get(number))
            except OSError as error:
                self.trouble = f"{entry.output} cannot be put in its place ({error}). Trying again."
            except (Exception, SystemExit) as error:  # a function of the user's may call sys.exit
                self._stumble(entry, in_words(error))

    def _stumble(self, entry: Entry, fault: str) -> None:
        """Note a fault of `accept` or `give_up`: one that stays is no reason to try for ever."""
        self.trouble = f"{entry.output} cannot be accepted: {fault}. Trying again."
        self._faults[entry.output] += 1
        if self._faults[entry.output] >= PATIENCE:
            self.stuck[entry.output] = fault

    def _end(self, entry: Entry, job: Job | None) -> JobRecord:
        output = self.batch.root / entry.output
        end, reason = self._verdict(entry, job)

        if entry.in_place and end != "completed":
            self.batch.set_aside(entry)
        with suppress(OSError):
            self._bring_log(entry)
        if end == "failed permanently" and self._give_up is not None:
            self._give_up(output, reason)

        return _job_record(entry, job, end, reason)

    def _bring_log(self, entry: Entry) -> None:
        """Write the rule's logs, where it has any: the first with what the job printed beside.

        The batch's folder keeps what the job said in any case.
        """
        if not entry.logs or not self.batch.printed(entry).exists():
            return

        texts = [self.batch.said(entry), *self.batch.logs_of(entry)[2:]]
        for log, text in zip(entry.logs, texts, strict=True):
            file = self.batch.root / log
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(text)

    def _verdict(self, entry: Entry, job: Job | None) -> tuple[End, str]:
        """Return how an entry ends whose job has ended or is gone."""
        arrived, accepted = (
            self.batch.root / place for place in (self.batch.inbox(entry), self.batch.accepted(entry))
        )
        vanished = job is None or not job.ended
        unproved = vanished and not entry.parcel and self._accept is move
        came = (arrived.exists() or accepted.exists()) and (vanished or (job is not None and job.succeeded))

        if came:
            try:
                if unproved:
                    raise ValueError("its job vanished from the queue; nothing says that all of it arrived")
                self._put_in_place(entry, arrived, accepted)
            except ValueError as error:
                return "damaged", str(error)
            return "completed", ""

        if job is not None and job.succeeded:
            # Made in its place, or accepted by a program that was killed before it could say so; old outputs
            # are removed before the submission.
            lost = [output for output in entry.outputs if not is_there(self.batch.root / output)]
            if lost and entry.in_place and time.time() - job.since < LATENCY_S:
                raise OSError("its job has ended, and the shared file system does not show it here yet")
            return ("damaged", f"{', '.join(lost)} did not arrive") if lost else ("completed", "")
        if self.batch.cancelled:
            return "cancelled", "taken back"
        return "failed permanently", _why(job)

    def _put_in_place(self, entry: Entry, arrived: Path, accepted: Path) -> None:
        """Take what has arrived to its place, or places.

        Raises
        ------
        ValueError
            when it is not sound
        """
        places = [self.batch.root / output for output in entry.outputs]
        if entry.parcel:
            bring_home(arrived, accepted, places, self.batch.make_room)
            return

        if self._accept is move:
            self.batch.set_aside(entry)  # what came here meanwhile from elsewhere
        self._accept(arrived, places[0])

    def _drop(self, known: dict[str, JobRecord]) -> None:
        """Take out what has ended."""
        if len(known) == self._known:
            return

        self._known = len(known)
        for name in [name for name in self._open if name in known]:
            del self._open[name]
            self.untold.append(known[name])


def _why(job: Job | None) -> str:
    """Say why a job gave no output."""
    if job is None:
        return "removed from the queue before it came into being"

    if job.state == "terminated":
        how = f"signal {job.signal}" if job.exit_code is None else f"exit status {job.exit_code}"
        times = f" in each of {job.attempts} attempts" if job.attempts > 1 else ""
        return f"the command ended with {how}{times} (the last on {job.host})"

    held = job.holds[-1].words if job.holds and _was_removed_held(job) else ""
    if held:
        return held
    if job.state == "removed":
        said = " ".join(job.reason.split())
        return f"removed from the queue: {said}" if said else "removed from the queue by hand"
    return "its job vanished from the queue without a word in the event log"


def _was_removed_held(job: Job) -> bool:
    """Return True if a hold was the end of a job; one by hand never is by itself."""
    last = job.holds[-1]
    return job.state == "removed" and last.until == job.since and last.code not in BY_HAND


def _job_record(entry: Entry, job: Job | None, end: End, reason: str) -> JobRecord:
    if job is None:
        return JobRecord(entry.name, entry.output, end, reason)

    return JobRecord(
        entry=entry.name,
        output=entry.output,
        end=end,
        reason=reason,
        cluster=job.cluster,
        proc=job.proc,
        host=job.host,
        slot=job.slot,
        attempts=job.attempts,
        queued_s=max(0.0, job.first_started - job.submitted) if job.first_started else None,
        run_s=job.run_s,
        sent_bytes=job.sent_bytes,
        received_bytes=job.received_bytes,
        submitted=job.submitted,
        started=job.started,
        ended=job.since if job.ended else None,
        holds=tuple(job.holds),
    )
