"""Follow the event log of a batch as it grows, and give the state of each of its jobs.

HTCondor's own reader ends the whole process where a full disk has torn an event, so the few lines that matter
are read here (manual, "Job Event Log"). One that cannot be read costs no other.
"""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import Literal

from snakemake_executor_plugin_condorsweep.holds import words
from snakemake_executor_plugin_condorsweep.ledger import Hold

State = Literal["idle", "running", "held", "terminated", "removed"]


@dataclass
class Job:
    """Describe a job as its events tell it.

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
        """Return the number of the job as HTCondor's commands take it."""
        return f"{self.cluster}.{self.proc}"

    @property
    def ended(self) -> bool:
        """Return True if the job has terminated or was removed."""
        return self.state in ("terminated", "removed")

    @property
    def succeeded(self) -> bool:
        """Return True if the job has terminated with exit status 0."""
        return self.state == "terminated" and self.exit_code == 0


#: How an event begins: number, cluster, process, date (local time unless it ends in Z).
HEAD = re.compile(
    r"(?P<kind>\d{3}) \((?P<cluster>\d{1,10})\.(?P<proc>-?\d{1,10})\.-?\d{1,10}\) "
    r"(?P<when>\d{4}-\d\d-\d\d[ T]\d\d:\d\d:\d\d(?:\.\d+)?Z?)"
)

#: What ends one, and the line by which it is found.
END = b"\n...\n"
LAST_LINE = re.compile(rb"^\.\.\.\r?\n", re.MULTILINE)

SLOT = re.compile(r"^\tSlotName: (\S+)", re.MULTILINE)
BYTES = re.compile(r"^\t(\d{1,18})  -  Run Bytes (Sent|Received) By Job", re.MULTILINE)
EXIT = re.compile(
    r"^\t\(([01])\) (?:Normal|Abnormal) termination \((?:return value|signal) (\d{1,10})\)", re.MULTILINE
)
REASON = re.compile(r"^\t(.*)", re.MULTILINE)

#: How a hold ends, whatever lines its reason holds.
CODE = re.compile(r"^\tCode (\d{1,10}) Subcode (-?\d{1,10})\s*\Z", re.MULTILINE)

#: No event of this world is of another year.
YEARS = range(2000, 2101)

#: Clocks of one machine agree so well, and those of a file server with it.
SLACK_S = 60.0
SERVER_SLACK_S = 600.0

#: Time zones differ by multiples of the one, and by less than the other.
ZONE_STEP_S = 900.0
ZONES_S = 26 * 3600.0


class EventLog:
    """Follow the jobs of one log.

    ``jobs`` maps (cluster, proc) to what is known; ``clusters`` holds the clusters that were submitted,
    ``finished`` those that have left the queue with all their jobs, also those that never came to be.

    Parameters
    ----------
    file : the log
    since : seconds since 1970 before which nothing in it happened
    """

    def __init__(self, file: Path, since: float = 0.0) -> None:
        self.jobs: dict[tuple[int, int], Job] = {}
        self.clusters: set[int] = set()
        self.finished: set[int] = set()
        self._file = file
        self._offset = 0
        self._odd: list[str] = []
        self._since = self._last = since
        self._shift: float | None = None

    def read(self) -> list[Job]:
        """Read what has come since the last time, and return the jobs that it is about."""
        changed: dict[int, Job] = {}
        for text in self._events():
            try:
                job = self._take(text)
            except (ValueError, OverflowError, OSError):  # a date or a number that cannot be
                self._odd.append(text)
                continue
            if job is not None:
                changed[id(job)] = job
        return list(changed.values())

    def newly_odd(self) -> list[str]:
        """Return what was passed over since the last call, as no event can look so."""
        odd, self._odd = self._odd, []
        return odd

    def _new_parts(self) -> list[str]:
        """Return what lies between the ends of events that are complete and have not been read."""
        if not self._file.is_file():
            return []

        with self._file.open("rb") as stream:
            stream.seek(self._offset)
            new = stream.read()
        ends = list(LAST_LINE.finditer(new))
        begins = [0, *(end.end() for end in ends)]
        self._offset += begins[-1]
        return [
            new[begin : end.start()].decode(errors="replace")
            for begin, end in zip(begins, ends, strict=False)
        ]

    def _events(self) -> Iterator[str]:
        """Yield the texts of new events.

        A hold's reason may hold any line, also one that looks like the end or the beginning of an event: it
        goes on to the line with its code. A full disk tears events: what was written last in a part is whole.
        """
        left = deque(self._new_parts())
        while left:
            part = left.popleft()
            if _begins_hold(part) and CODE.search(part) is None:
                part = "...\n".join([part, *_rest_of_hold(left)])

            begin = _begin(part)
            if part[:begin].strip():
                self._odd.append(part[:begin])
            if part[begin:].strip():
                yield part[begin:]

    def _take(self, text: str) -> Job | None:
        head = HEAD.match(text)
        if head is None:
            raise ValueError("no event")

        kind, cluster, proc = int(head["kind"]), int(head["cluster"]), int(head["proc"])
        now = self._seconds(head["when"])
        if kind == CLUSTER_REMOVE:
            self.finished.add(cluster)

        self.clusters.add(cluster)
        handler = HANDLERS.get(kind)
        if handler is None or proc < 0:
            return None

        job = self.jobs.setdefault((cluster, proc), Job(cluster, proc, submitted=now, since=now))
        if not job.ended or (kind in ENDS and not job.succeeded):
            handler(job, text[head.end() :], now)
        return job

    def _seconds(self, when: str) -> float:
        """Convert a date of the log to seconds since 1970.

        Local time says some hours twice, at the end of summer time: events come in order.
        """
        date = datetime.fromisoformat(when)
        if date.year not in YEARS:
            raise ValueError(f"{when}: no event is of that year")
        if date.tzinfo is not None:
            return date.timestamp()

        first, again = date.timestamp(), date.replace(fold=1).timestamp()
        if self._shift is None:
            self._shift = self._zone(first)
        first, again = first + self._shift, again + self._shift
        seconds = again if first < self._last - SLACK_S and again > first else first
        self._last = max(self._last, seconds)
        return seconds

    def _zone(self, first: float) -> float:
        """Return what to add where the log was written in another time zone than ours.

        Its first event is as old as the submission, not older, and not newer than the file.
        """
        behind = self._since - first
        too_late = first - self._file.stat().st_mtime
        if max(behind, too_late) < SERVER_SLACK_S or abs(behind) > ZONES_S:
            return 0.0
        return round(behind / ZONE_STEP_S) * ZONE_STEP_S


def _begins_hold(part: str) -> bool:
    head = HEAD.match(part)
    return head is not None and head["kind"] == HELD


def _rest_of_hold(left: deque[str]) -> list[str]:
    """Take out the parts that belong to a hold which has not come to its code; none when it never does."""
    for number, part in enumerate(left, start=1):
        if any(head["kind"] == HELD for head in HEAD.finditer(part)):
            break  # that code is of another hold
        if CODE.search(part):
            return [left.popleft() for _ in range(number)]
    return []


def _begin(part: str) -> int:
    """Return where the event of a part begins; what stands before it is torn, or no event at all."""
    heads = list(HEAD.finditer(part))
    if not heads:
        return 0
    if _begins_hold(part) and CODE.search(part) and not any(_is_torn_at(head, part) for head in heads[1:]):
        return 0
    whole = [head for head in heads if _is_whole(head, part)]
    return (whole or heads[:1])[-1].start()


def _is_torn_at(head: re.Match[str], part: str) -> bool:
    """Return True if a hold begins in the middle of a line, so that the one before it was torn."""
    return head["kind"] == HELD and part[head.start() - 1] != "\n"


def _is_whole(head: re.Match[str], part: str) -> bool:
    """Return True if an event looks as HTCondor writes it, and not like something that a reason quotes."""
    rest = part[head.end() :]
    kind = int(head["kind"])
    return rest.startswith(WORDS.get(kind, "\0")) and (kind != TERMINATED or EXIT.search(rest) is not None)


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
    if EXIT.search(text) is None:
        raise ValueError("torn before it says how the job ended")
    _become(job, "terminated", now)
    job.run_s = max(0.0, now - job.started) if job.started else None
    _count_bytes(job, text)
    _take_exit(job, text)


def _aborted(job: Job, text: str, now: float) -> None:
    _become(job, "removed", now)
    reason = REASON.search(text)
    job.reason = reason[1] if reason else ""


def _held(job: Job, text: str, now: float) -> None:
    _become(job, "held", now)
    found = CODE.search(text)
    code, subcode = (int(found[1]), int(found[2])) if found else (0, 0)
    _, _, said = text[: found.start() if found else len(text)].partition("\n")
    reason = " ".join(said.split())
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
TERMINATED = 5
ENDS = (TERMINATED, 9)
HELD = "012"

#: How they go on behind their dates.
WORDS = {
    0: " Job submitted",
    1: " Job executing",
    4: " Job was evicted",
    5: " Job terminated",
    7: " Shadow exception",
    9: " Job was aborted",
    12: " Job was held",
    13: " Job was released",
    24: " Job reconnection failed",
    35: " Cluster submitted",
    36: " Cluster removed",
}

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
