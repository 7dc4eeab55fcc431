"""Keep the ledger of a batch: how each of its entries ended, one line each, written once."""

from __future__ import annotations

import fcntl
import json
import math
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal, get_args

#: The file of a batch's ledger, and its name in the former version, which is still read.
FILE = "job_records.jsonl"
FORMER_FILE = "journeys.jsonl"

#: `completed`: the output is where it belongs; `damaged`: what arrived was not sound; `failed permanently`:
#: no retry helps; `cancelled`: taken back.
End = Literal["completed", "damaged", "failed permanently", "cancelled"]

#: What the former version wrote for them.
FORMER_ENDS = {"home": "completed", "given up": "failed permanently"}


@dataclass(frozen=True)
class Hold:
    """Record one time that a job was held.

    Attributes
    ----------
    code, subcode : HTCondor's
    reason : HTCondor's words
    words : cause and remedy in ours
    since, until : seconds since 1970; ``until`` is None while it lasts
    """

    code: int
    subcode: int
    reason: str
    words: str
    since: float
    until: float | None = None


@dataclass(frozen=True)
class JobRecord:
    """Record what happened to an entry from its submission to its end: its job record.

    Attributes
    ----------
    entry, output : its name and file
    end, reason : how it ended, and why unless it completed
    cluster, proc : its job
    host, slot : where it ran last
    attempts : how often it was started
    queued_s : from the submission to the first start
    run_s : of the last attempt
    sent_bytes, received_bytes : by the job, over all attempts
    submitted, started, ended : seconds since 1970; ``started`` is that of the last attempt
    """

    entry: str
    output: str
    end: End
    reason: str = ""
    cluster: int = 0
    proc: int = 0
    host: str = ""
    slot: str = ""
    attempts: int = 0
    queued_s: float | None = None
    run_s: float | None = None
    sent_bytes: float = 0.0
    received_bytes: float = 0.0
    submitted: float | None = None
    started: float | None = None
    ended: float | None = None
    holds: tuple[Hold, ...] = ()


def ledger_in(batch: Path) -> Path:
    """Return the file of a batch's ledger; one that the former version began keeps its name."""
    former = batch / FORMER_FILE
    return former if former.exists() else batch / FILE


def ledgers_in(batches: Path) -> list[Path]:
    """Return the files of the ledgers of all batches, the newest last."""
    files = [ledger_in(batch) for batch in sorted(batches.glob("[!.]*"))]
    return [file for file in files if file.exists()]


class Ledger:
    """Give access to the lines of one batch, which several programs may write in turn."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._offset = 0
        self.records: dict[str, JobRecord] = {}

    def read(self) -> dict[str, JobRecord]:
        """Return all job records by the name of the entry; read what has come since the last time."""
        if not self._file.is_file():
            return self.records

        with self._file.open("rb") as stream:
            stream.seek(self._offset)
            for line in stream:
                if not line.endswith(b"\n"):
                    break  # a torn last line
                self._offset += len(line)
                self._take(line)
        return self.records

    def write(self, records: Sequence[JobRecord]) -> None:
        """Add lines that survive a power cut."""
        if not records:
            return

        with self._file.open("r+b" if self._file.exists() else "w+b") as stream:
            stream.seek(self._offset)
            stream.truncate()  # what a crash has torn
            stream.writelines(json.dumps(asdict(record)).encode() + b"\n" for record in records)
            stream.flush()
            os.fsync(stream.fileno())
        self.read()

    @contextmanager
    def alone(self) -> Iterator[dict[str, JobRecord]]:
        """Hold the ledger, so that nobody else ends the same entry, and yield what it holds now."""
        with self._file.with_name("lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield self.read()

    def _take(self, line: bytes) -> None:
        try:
            record = _job_record(json.loads(line))
        except (ValueError, KeyError, TypeError, RecursionError):
            return  # a torn or damaged line; the event log still knows
        self.records[record.entry] = record


#: What stands in a line, by type.
TEXTS = ("entry", "output", "reason", "host", "slot")
WHOLE = ("cluster", "proc", "attempts")
AMOUNTS = ("sent_bytes", "received_bytes")
TIMES = ("queued_s", "run_s", "submitted", "started", "ended")


def _job_record(plain: dict[str, Any]) -> JobRecord:
    """Build a job record from JSON.

    Raises
    ------
    ValueError, KeyError, TypeError
        when it is none
    """
    end = FORMER_ENDS.get(plain["end"], plain["end"])
    record = JobRecord(**{**plain, "end": end, "holds": tuple(Hold(**hold) for hold in plain["holds"])})
    times = [value for name in TIMES if (value := plain[name]) is not None]
    numbers = [*(plain[name] for name in AMOUNTS), *times]

    sound = (
        record.end in get_args(End)
        and all(isinstance(plain[name], str) for name in TEXTS)
        and all(isinstance(plain[name], int) for name in WHOLE)
        and all(isinstance(number, int | float) and math.isfinite(number) for number in numbers)
        and all(isinstance(hold.words, str) for hold in record.holds)
    )
    if not sound:
        raise ValueError("values that no job record has")
    return record
