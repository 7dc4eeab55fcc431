"""Read times from HTCondor's event logs, whoever submitted the jobs."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

EVENT = re.compile(r"^(\d{3}) \(\d+\.(-?\d+)\.\d+\) (\S+ \S+) (.*)", re.MULTILINE)

#: CPU time of a job, user and system, each as days and hours:minutes:seconds.
USED = re.compile(r"Usr (\d+) (\d+):(\d+):(\d+), Sys (\d+) (\d+):(\d+):(\d+)  -  Total Remote Usage")

#: What a job had used by then, in megabytes.
MEMORY = re.compile(r"(\d+)  -  MemoryUsage of job")

SUBMITTED, EXECUTING, TERMINATED, COMMON_FILES = "000", "001", "005", "047"


@dataclass(frozen=True)
class Story:
    """When things happened, in seconds since 1970; HTCondor writes whole seconds.

    Attributes
    ----------
    submitted, started : of the first job
    ended : of the last job
    run_s : of all jobs, each from its last start to its end
    cpu_s : CPU time of all jobs
    memory_mb : the most of any job; 0 where HTCondor wrote none down
    executions : starts of jobs
    common_transfers : how often files that jobs share were sent to an execute point
    """

    submitted: float
    started: float
    ended: float
    run_s: float
    cpu_s: float
    memory_mb: float
    executions: int
    common_transfers: int

    @classmethod
    def of(cls, logs: Iterable[Path]) -> Story:
        texts = [log.read_text() for log in logs]
        events = [found.groups() for text in texts for found in EVENT.finditer(text)]
        times = {
            kind: sorted(_seconds(when) for number, _, when, _ in events if number == kind) for kind in _KINDS
        }

        return cls(
            submitted=times[SUBMITTED][0],
            started=times[EXECUTING][0],
            ended=times[TERMINATED][-1],
            run_s=sum(_lasted(events)),
            cpu_s=sum(_cpu_s(found) for text in texts for found in USED.findall(text)),
            memory_mb=max((float(found) for text in texts for found in MEMORY.findall(text)), default=0.0),
            executions=len(times[EXECUTING]),
            common_transfers=sum(
                number == COMMON_FILES and words.endswith("TransferFinished")
                for number, _, _, words in events
            ),
        )


_KINDS = (SUBMITTED, EXECUTING, TERMINATED)


def _seconds(when: str) -> float:
    return datetime.fromisoformat(when).timestamp()


def _lasted(events: Iterable[tuple[str, ...]]) -> Iterator[float]:
    """Yield how long each job ran."""
    started: dict[str, float] = {}
    for number, job, when, _ in events:
        if number == EXECUTING:
            started[job] = _seconds(when)
        elif number == TERMINATED:
            yield _seconds(when) - started[job]


def _cpu_s(used: Iterable[str]) -> int:
    """Add user and system time."""
    units = (86400, 3600, 60, 1) * 2
    return sum(unit * int(count) for unit, count in zip(units, used, strict=True))
