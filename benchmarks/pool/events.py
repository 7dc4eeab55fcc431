"""Read times from HTCondor's event logs, whoever submitted the jobs."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

EVENT = re.compile(r"^(\d{3}) \(\d+\.(-?\d+)\.\d+\) (\S+ \S+) (.*)", re.MULTILINE)

SUBMITTED, EXECUTING, TERMINATED, COMMON_FILES = "000", "001", "005", "047"


@dataclass(frozen=True)
class Story:
    """When things happened, in seconds since 1970; HTCondor writes whole seconds.

    Attributes
    ----------
    submitted, started : of the first job
    ended : of the last job
    executions : starts of jobs
    common_transfers : how often files that jobs share were sent to an execute point
    """

    submitted: float
    started: float
    ended: float
    executions: int
    common_transfers: int

    @classmethod
    def of(cls, logs: Iterable[Path]) -> Story:
        events = [found.groups() for log in logs for found in EVENT.finditer(log.read_text())]
        times = {
            kind: sorted(_seconds(when) for number, _, when, _ in events if number == kind) for kind in _KINDS
        }

        return cls(
            submitted=times[SUBMITTED][0],
            started=times[EXECUTING][0],
            ended=times[TERMINATED][-1],
            executions=len(times[EXECUTING]),
            common_transfers=sum(
                number == COMMON_FILES and words.endswith("TransferFinished")
                for number, _, _, words in events
            ),
        )


_KINDS = (SUBMITTED, EXECUTING, TERMINATED)


def _seconds(when: str) -> float:
    return datetime.fromisoformat(when).timestamp()
