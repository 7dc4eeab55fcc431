"""The event log of a batch, followed as it grows: the state of each of its jobs.

HTCondor's own reader ends the whole process where a full disk has torn an event, so the few lines that matter
are read here (manual, "Job Event Log").
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import Literal

from snakemake_executor_plugin_condorsweep.holds import words
from snakemake_executor_plugin_condorsweep.journey import Hold

State = Literal["idle", "running", "held", "terminated", "removed"]


@dataclass
class Job:
    """A job as its events tell it.

    Attributes
    ----------
    since : when it came into its state, in seconds since 1970
    exit_code : of its last end; None when a signal ended it
    reason : why it was removed, if it was
    """

    cluster: int
    proc: int
    submitted: float
    since: float
    state: State = "idle"
    host: str = ""
    slot: str = ""
    attempts: int = 0
    first_started: float | None = None
    started: float | None = None
    run_s: float | None = None
    exit_code: int | None = None
    signal: int | None = None
    reason: str = ""
    sent_bytes: float = 0.0
    received_bytes: float = 0.0
    holds: list[Hold] = field(default_factory=list)

    @property
    def id(self) -> str:
        """As HTCondor's commands take it."""
        return f"{self.cluster}.{self.proc}"

    @property
    def ended(self) -> bool:
        return self.state in ("terminated", "removed")

    @property
    def succeeded(self) -> bool:
        return self.state == "terminated" and self.exit_code == 0


#: How an event begins: number, cluster, process, date (local time unless it ends in Z). After a torn event it
#: may begin in the middle of a line.
HEAD = re.compile(
    r"(?P<kind>\d{3}) \((?P<cluster>\d+)\.(?P<proc>-?\d+)\.-?\d+\) "
    r"(?P<when>\d{4}-\d\d-\d\d[ T]\d\d:\d\d:\d\d(?:\.\d+)?Z?)"
)
END = b"\n...\n"

SLOT = re.compile(r"^\tSlotName: (\S+)", re.MULTILINE)
BYTES = re.compile(r"^\t(\d+)  -  Run Bytes (Sent|Received) By Job", re.MULTILINE)
EXIT = re.compile(
    r"^\t\(([01])\) (?:Normal|Abnormal) termination \((?:return value|signal) (\d+)\)", re.MULTILINE
)
CODE = re.compile(r"^\tCode (\d+) Subcode (-?\d+)", re.MULTILINE)
REASON = re.compile(r"^\t(.*)", re.MULTILINE)


class EventLog:
    """The jobs of one log.

    ``jobs`` maps (cluster, proc) to what is known; ``clusters`` holds the clusters that were submitted,
    ``finished`` those that have left the queue with all their jobs, also those that never came to be.
    """

    def __init__(self, file: Path) -> None:
        self.jobs: dict[tuple[int, int], Job] = {}
        self.clusters: set[int] = set()
        self.finished: set[int] = set()
        self._file = file
        self._offset = 0

    def read(self) -> list[Job]:
        """Take in what has come since the last time; the jobs that it is about."""
        text = self._new_text()
        heads = list(HEAD.finditer(text))
        ends = [*(head.start() for head in heads[1:]), len(text)]
        changed: dict[int, Job] = {}

        for head, end in zip(heads, ends, strict=False):
            job = self._take(head, text[head.end() : end])
            if job is not None:
                changed[id(job)] = job
        return list(changed.values())

    def _new_text(self) -> str:
        """The events that are complete and have not been read."""
        if not self._file.exists():
            return ""

        with self._file.open("rb") as stream:
            stream.seek(self._offset)
            new = stream.read()
        whole = new[: new.rfind(END) + len(END)] if END in new else b""
        self._offset += len(whole)
        return whole.decode(errors="replace")

    def _take(self, head: re.Match[str], text: str) -> Job | None:
        kind, cluster, proc = int(head["kind"]), int(head["cluster"]), int(head["proc"])
        if kind == CLUSTER_REMOVE:
            self.finished.add(cluster)

        self.clusters.add(cluster)
        handler = HANDLERS.get(kind)
        if handler is None or proc < 0:
            return None

        now = datetime.fromisoformat(head["when"]).timestamp()
        job = self.jobs.setdefault((cluster, proc), Job(cluster, proc, submitted=now, since=now))
        handler(job, text, now)
        return job


def _submitted(job: Job, text: str, now: float) -> None:
    job.submitted = job.since = now


def _executing(job: Job, text: str, now: float) -> None:
    _become(job, "running", now)
    job.attempts += 1
    job.started = now
    job.first_started = job.first_started or now
    slot = SLOT.search(text)
    job.slot = slot[1] if slot else ""
    job.host = job.slot.partition("@")[2]


def _evicted(job: Job, text: str, now: float) -> None:
    _become(job, "idle", now)
    _count_bytes(job, text)
    _take_exit(job, text)


def _terminated(job: Job, text: str, now: float) -> None:
    _become(job, "terminated", now)
    job.run_s = now - job.started if job.started else None
    _count_bytes(job, text)
    _take_exit(job, text)


def _aborted(job: Job, text: str, now: float) -> None:
    _become(job, "removed", now)
    reason = REASON.search(text)
    job.reason = reason[1] if reason else ""


def _held(job: Job, text: str, now: float) -> None:
    _become(job, "held", now)
    found, said = CODE.search(text), REASON.search(text)
    code, subcode = (int(found[1]), int(found[2])) if found else (0, 0)
    reason = said[1] if said else ""
    job.holds.append(Hold(code, subcode, reason, words(code, subcode, reason, job.id), since=now))


def _back_in_queue(job: Job, text: str, now: float) -> None:
    _become(job, "idle", now)


def _become(job: Job, state: State, now: float) -> None:
    if job.holds and job.holds[-1].until is None and state != "held":
        job.holds[-1] = replace(job.holds[-1], until=now)
    job.state, job.since = state, now


def _count_bytes(job: Job, text: str) -> None:
    moved = {direction: float(count) for count, direction in BYTES.findall(text)}
    job.sent_bytes += moved.get("Sent", 0.0)
    job.received_bytes += moved.get("Received", 0.0)


def _take_exit(job: Job, text: str) -> None:
    found = EXIT.search(text)
    if found is None:
        return
    normal, number = found[1] == "1", int(found[2])
    job.exit_code = number if normal else None
    job.signal = None if normal else number


# Numbers of HTCondor's events (manual, "Job Event Log Codes").
CLUSTER_REMOVE = 36

HANDLERS: dict[int, Callable[[Job, str, float], None]] = {
    0: _submitted,
    1: _executing,
    4: _evicted,
    5: _terminated,
    7: _back_in_queue,  # the shadow died; the job starts again
    9: _aborted,
    12: _held,
    13: _back_in_queue,  # released
    24: _back_in_queue,  # the execute point is gone
}
