"""The event log of a batch, followed as it grows: the state of each of its jobs."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import Any, Literal

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


class EventLog:
    """The jobs of one log.

    ``jobs`` maps (cluster, proc) to what is known; ``clusters`` holds the clusters that were submitted,
    ``finished`` those that have left the queue with all their jobs, also those that never came to be.
    """

    def __init__(self, file: Path) -> None:
        self.jobs: dict[tuple[int, int], Job] = {}
        self.clusters: dict[int, float] = {}
        self.finished: set[int] = set()
        self._file = file
        self._log: Any = None

    def read(self) -> list[Job]:
        """Take in what has come since the last time; the jobs that it is about."""
        if self._log is None:
            if not self._file.exists():
                return []
            import htcondor2

            self._log = htcondor2.JobEventLog(str(self._file))

        changed: dict[int, Job] = {}
        for event in self._log.events(0):
            job = self._take(event)
            if job is not None:
                changed[id(job)] = job
        return list(changed.values())

    def _take(self, event: Mapping[str, Any]) -> Job | None:
        kind = event["EventTypeNumber"]
        if kind == CLUSTER_SUBMIT:
            self.clusters[event["Cluster"]] = _seconds(event)
        if kind == CLUSTER_REMOVE:
            self.finished.add(event["Cluster"])

        handler = HANDLERS.get(kind)
        if handler is None:
            return None

        cluster, proc, now = event["Cluster"], event["Proc"], _seconds(event)
        self.clusters.setdefault(cluster, now)
        job = self.jobs.setdefault((cluster, proc), Job(cluster, proc, submitted=now, since=now))
        handler(job, event, now)
        return job


def _submitted(job: Job, event: Mapping[str, Any], now: float) -> None:
    job.submitted = job.since = now


def _executing(job: Job, event: Mapping[str, Any], now: float) -> None:
    _become(job, "running", now)
    job.attempts += 1
    job.started = now
    job.first_started = job.first_started or now
    job.slot = str(event.get("SlotName", ""))
    job.host = job.slot.partition("@")[2]


def _evicted(job: Job, event: Mapping[str, Any], now: float) -> None:
    _become(job, "idle", now)
    _count_bytes(job, event)
    _take_exit(job, event)


def _terminated(job: Job, event: Mapping[str, Any], now: float) -> None:
    _become(job, "terminated", now)
    job.run_s = now - job.started if job.started else None
    _count_bytes(job, event)
    _take_exit(job, event)


def _aborted(job: Job, event: Mapping[str, Any], now: float) -> None:
    _become(job, "removed", now)
    job.reason = str(event.get("Reason", ""))


def _held(job: Job, event: Mapping[str, Any], now: float) -> None:
    _become(job, "held", now)
    code, subcode = event.get("HoldReasonCode", 0), event.get("HoldReasonSubCode", 0)
    reason = str(event.get("HoldReason", ""))
    job.holds.append(Hold(code, subcode, reason, words(code, subcode, reason, job.id), since=now))


def _back_in_queue(job: Job, event: Mapping[str, Any], now: float) -> None:
    _become(job, "idle", now)


def _become(job: Job, state: State, now: float) -> None:
    if job.holds and job.holds[-1].until is None and state != "held":
        job.holds[-1] = replace(job.holds[-1], until=now)
    job.state, job.since = state, now


def _count_bytes(job: Job, event: Mapping[str, Any]) -> None:
    job.sent_bytes += float(event.get("SentBytes", 0.0))
    job.received_bytes += float(event.get("ReceivedBytes", 0.0))


def _take_exit(job: Job, event: Mapping[str, Any]) -> None:
    if "TerminatedNormally" not in event:
        return
    normally = event["TerminatedNormally"]
    job.exit_code = event.get("ReturnValue") if normally else None
    job.signal = None if normally else event.get("TerminatedBySignal")


def _seconds(event: Mapping[str, Any]) -> float:
    return datetime.fromisoformat(event["EventTime"]).timestamp()


# Numbers of HTCondor's events (manual, "Job Event Log Codes").
CLUSTER_SUBMIT = 35
CLUSTER_REMOVE = 36

HANDLERS: dict[int, Callable[[Job, Mapping[str, Any], float], None]] = {
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
