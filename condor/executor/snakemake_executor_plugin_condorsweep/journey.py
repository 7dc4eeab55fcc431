"""The ledger of a batch: how each of its entries ended, one line each, written once."""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Literal

#: `home`: the output is where it belongs; `damaged`: what arrived was not sound; `given up`: no retry helps;
#: `cancelled`: taken back.
End = Literal["home", "damaged", "given up", "cancelled"]


@dataclass(frozen=True)
class Hold:
    """One time that a job was held.

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
class Journey:
    """What happened to an entry from its submission to its end.

    Attributes
    ----------
    entry, output : its name and file
    end, reason : how it ended, and why unless at home
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


class Ledger:
    """The lines of one batch, which several programs may write in turn."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._offset = 0
        self.journeys: dict[str, Journey] = {}

    def read(self) -> dict[str, Journey]:
        """All journeys by the name of the entry; reads what has come since the last time."""
        if not self._file.exists():
            return self.journeys

        with self._file.open("rb") as stream:
            stream.seek(self._offset)
            for line in stream:
                if not line.endswith(b"\n"):
                    break  # a torn last line
                self._offset += len(line)
                self._take(line)
        return self.journeys

    def write(self, journeys: Sequence[Journey]) -> None:
        """Add lines that survive a power cut."""
        if not journeys:
            return

        with self._file.open("r+b" if self._file.exists() else "w+b") as stream:
            stream.seek(self._offset)
            stream.truncate()  # what a crash has torn
            stream.writelines(json.dumps(asdict(journey)).encode() + b"\n" for journey in journeys)
            stream.flush()
            os.fsync(stream.fileno())
        self.read()

    @contextmanager
    def alone(self) -> Iterator[dict[str, Journey]]:
        """Hold the ledger, so that nobody else ends the same entry; gives what it holds now."""
        with self._file.with_name("lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield self.read()

    def _take(self, line: bytes) -> None:
        try:
            plain = json.loads(line)
            holds = tuple(Hold(**hold) for hold in plain["holds"])
            journey = replace(Journey(**{**plain, "holds": ()}), holds=holds)
        except (ValueError, KeyError, TypeError):
            return  # a torn line; the event log still knows
        self.journeys[journey.entry] = journey
