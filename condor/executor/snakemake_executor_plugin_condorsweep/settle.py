"""From events to ends: what has ended is accepted or given up, once, and written into the ledger."""

from __future__ import annotations

import os
import shutil
import traceback
from collections.abc import Callable, Iterator
from contextlib import suppress
from importlib import import_module
from pathlib import Path
from typing import Any

from snakemake_executor_plugin_condorsweep.batch import Batch, Entry, sync_folder
from snakemake_executor_plugin_condorsweep.events import EventLog, Job
from snakemake_executor_plugin_condorsweep.holds import BY_HAND
from snakemake_executor_plugin_condorsweep.journey import End, Journey, Ledger

#: Takes the arrived file to its place (both paths are absolute). Raises ValueError when it is not sound.
Accept = Callable[[Path, Path], None]

#: Told the output, as an absolute path, and why it will not come. It may put a record in the output's place.
GiveUp = Callable[[Path, str], None]

#: What the queue holds: (cluster, proc), and (cluster, None) while more jobs of the cluster may come.
Queue = set[tuple[int, int | None]]


def settle(batch: Batch, accept: Accept | None = None, give_up: GiveUp | None = None) -> list[Journey]:
    """End what has ended, as the executor does; for programs that run without it.

    Returns
    -------
    the journeys that ended just now
    """
    return Follower(batch, accept, give_up).step()


def move(arrived: Path, output: Path) -> None:
    """What is done with an output when nothing else is said: it is moved to its place."""
    output.parent.mkdir(parents=True, exist_ok=True)
    with arrived.open("rb") as stream:
        os.fsync(stream.fileno())
    os.replace(arrived, output)
    sync_folder(output.parent)


def function(name: str) -> Callable[..., Any] | None:
    """The function that a setting ``module:function`` names; None for an empty one.

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
    """One batch, followed until all of its entries have ended.

    ``trouble`` says what kept an entry from being ended in the last step; the next step tries again.
    """

    def __init__(self, batch: Batch, accept: Accept | None = None, give_up: GiveUp | None = None) -> None:
        self.batch = batch
        self.log = EventLog(batch.events)
        self._ledger = Ledger(batch.ledger)
        self._accept = accept or move
        self._give_up = give_up
        self._jobs: dict[int, Job] = {}
        self._held: list[Job] = []
        self._due: set[int] = set()
        self.trouble = ""
        self._open = {entry.name: number for number, entry in enumerate(batch.entries)}
        self._drop(self._ledger.read())

    @property
    def submitted(self) -> bool:
        """Whether the log says so."""
        return bool(self.log.clusters)

    @property
    def open_entries(self) -> list[Entry]:
        return [self.batch.entries[number] for number in self._open.values()]

    def newly_held(self) -> list[Job]:
        """The jobs that are held since one asked last."""
        held, self._held = [job for job in self._held if job.state == "held"], []
        return held

    def look(self) -> None:
        """Read what is new in the log.

        A batch that was submitted twice has two jobs for an entry: the one that succeeded counts, else the
        last.
        """
        changed = self.log.read()
        self._held += changed
        for job in changed:
            known = self._jobs.get(job.proc)
            if known is None or not known.succeeded:
                self._jobs[job.proc] = job
        self._due.update(job.proc for job in changed if self._jobs[job.proc].ended)

    def step(self, queue: Queue | None = None) -> list[Journey]:
        """Read what is new and end what has ended.

        Parameters
        ----------
        queue : what the queue held a moment *before* this call; jobs that neither it nor the log knows
            any more are given up
        """
        self.look()
        if queue is not None or self.log.finished:
            self._due.update(number for number in self._open.values() if self._gone(number, queue))
        if not self._to_end() and self._open:
            return []

        with self._ledger.alone() as known:
            self._drop(known)
            journeys = list(self._end_due())
            self._ledger.write(journeys)
            self._drop(known)
            if not self._open and not self.batch.closed:
                self.batch.mark("closed")
        return journeys

    def _gone(self, number: int, queue: Queue | None) -> bool:
        """Whether the job of an entry has left the queue without a word."""
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
        """The numbers of the entries that are due and have no line in the ledger."""
        return sorted(self._due & set(self._open.values()))

    def _end_due(self) -> Iterator[Journey]:
        """End what is due, each on its own: a full disk or a fault in `accept` may pass."""
        self.trouble = ""
        for number in self._to_end():
            entry = self.batch.entries[number]
            try:
                yield self._end(entry, self._jobs.get(number))
            except OSError as error:
                self.trouble = f"{entry.output} cannot be put in its place ({error}). Trying again."
            except Exception:
                self.trouble = f"{entry.output} cannot be accepted. Trying again.\n{traceback.format_exc()}"

    def _end(self, entry: Entry, job: Job | None) -> Journey:
        root = self.batch.root
        arrived, output = root / self.batch.inbox(entry), root / entry.output
        end, reason = self._verdict(arrived, output, job)

        with suppress(OSError):
            _copy_log(self.batch.printed(entry), root / entry.log if entry.log else None)
        if end == "given up" and self._give_up is not None:
            self._give_up(output, reason)

        return _journey(entry, job, end, reason)

    def _verdict(self, arrived: Path, output: Path, job: Job | None) -> tuple[End, str]:
        """How an entry ends whose job has ended or is gone."""
        vanished = job is None or not job.ended
        came = arrived.exists() and (vanished or (job is not None and job.succeeded))

        if came:
            try:
                self._accept(arrived, output)
            except ValueError as error:
                return "damaged", str(error)
            return "home", ""

        if job is not None and job.succeeded:
            # Accepted by a program that was killed before it could say so; old outputs are removed
            # before the submission.
            return ("home", "") if output.exists() else ("damaged", "its output did not arrive")
        if self.batch.cancelled:
            return "cancelled", "taken back"
        return "given up", _why(job)

    def _drop(self, known: dict[str, Journey]) -> None:
        for name in known:
            self._open.pop(name, None)


def _why(job: Job | None) -> str:
    """Why a job gave no output, in words."""
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
    """Whether a hold was its end; one by hand never is by itself."""
    last = job.holds[-1]
    return job.state == "removed" and last.until == job.since and last.code not in BY_HAND


def _journey(entry: Entry, job: Job | None, end: End, reason: str) -> Journey:
    if job is None:
        return Journey(entry.name, entry.output, end, reason)

    return Journey(
        entry=entry.name,
        output=entry.output,
        end=end,
        reason=reason,
        cluster=job.cluster,
        proc=job.proc,
        host=job.host,
        slot=job.slot,
        attempts=job.attempts,
        queued_s=job.first_started - job.submitted if job.first_started else None,
        run_s=job.run_s,
        sent_bytes=job.sent_bytes,
        received_bytes=job.received_bytes,
        submitted=job.submitted,
        started=job.started,
        ended=job.since if job.ended else None,
        holds=tuple(job.holds),
    )


def _copy_log(printed: Path, log: Path | None) -> None:
    if log is not None and printed.exists():
        log.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(printed, log)
