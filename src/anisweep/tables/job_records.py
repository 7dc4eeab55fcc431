"""Make the table of job records: what a cluster did with each pack, from submission to artifact."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any

import pandas as pd

from anisweep.former_names import ENDS
from anisweep.parsing.json_text import read_json
from anisweep.parsing.schema import build
from anisweep.tables.cells import dtypes_of


@dataclass(frozen=True)
class PackJobRecord:
    """Record what a cluster did with one pack.

    Attributes
    ----------
    batch, job : the submission, and the job's number in the queue
    attempts : how often it was started
    queued_s : from the submission to the first start
    run_s : of the last attempt, files fetched and sent included
    measured_s : what all rows of the pack took; the rest of ``run_s`` is start and transfer
    sent_mb, received_mb : by the job
    submitted, ended : seconds since 1970; as text, in ``job_records.csv``, UTC with its zone
    holds : cause and remedy of each hold, in words
    """

    pack: str
    site: str
    batch: str
    job: str
    end: str
    host: str
    slot: str
    attempts: int
    queued_s: float | None
    run_s: float | None
    measured_s: float
    sent_mb: float
    received_mb: float
    submitted: float | None
    ended: float | None
    holds: tuple[str, ...]


#: Columns and types, also of an empty table.
TYPES = dtypes_of(PackJobRecord)


#: Points in time among them.
TIMES = ("submitted", "ended")


def with_times_as_text(table: pd.DataFrame) -> pd.DataFrame:
    """Return the table as it is written for people.

    Times are UTC and say so, whatever zone the reader lives in.
    """
    return table.assign(**{name: [_time_as_text(value) for value in table[name]] for name in TIMES})


def _time_as_text(seconds: float) -> str:
    return "" if pd.isna(seconds) else datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds")


def _time(text: str) -> float | None:
    """Parse a time of ``job_records.csv``; earlier tables hold seconds.

    Raises
    ------
    ValueError
        when it is a time without its zone
    """
    if text == "" or re.fullmatch(r"\d+(\.\d*)?", text):
        return float(text) if text else None

    read = datetime.fromisoformat(text)
    if read.tzinfo is None:
        raise ValueError(f"{text}: a time without its zone")
    return read.timestamp()


def job_records_of_csv(text: str) -> list[PackJobRecord]:
    """Read the job records of a ``job_records.csv``.

    Raises
    ------
    ValueError, KeyError
        when it is no such table
    """
    lines = csv.DictReader(io.StringIO(text), strict=True)
    return [build(PackJobRecord, {name: _entry(name, line[name]) for name in TYPES}) for line in lines]


def _entry(name: str, text: str | None) -> Any:
    kind = TYPES[name]
    if text is None:
        raise ValueError("a line with too few entries")
    if name in TIMES:
        return _time(text)
    if kind == "object":
        return read_json(text)
    if name == "end":
        return ENDS.get(text, text)
    if kind == "str":
        return text
    return None if text == "" else int(text) if kind == "Int64" else float(text)


def job_records_table(job_records: Sequence[PackJobRecord]) -> pd.DataFrame:
    """Make a table with one line a pack that came from a cluster, in the order of submission."""
    rows = [asdict(record) | {"holds": list(record.holds)} for record in job_records]
    columns = {name: pd.Series([row[name] for row in rows], dtype=kind) for name, kind in TYPES.items()}
    return pd.DataFrame(columns).sort_values(["submitted", "pack"], ignore_index=True)


@dataclass(frozen=True)
class Makespan:
    """Say where the time of a site's packs went, in seconds.

    Attributes
    ----------
    makespan_s : from the first submission to the last artifact
    waiting_s, transfer_s, measuring_s : sums over the packs
    """

    packs: int
    makespan_s: float
    waiting_s: float
    transfer_s: float
    measuring_s: float

    @property
    def efficiency(self) -> float:
        """Return the share of the time on the execute points in which something was measured."""
        busy = self.measuring_s + self.transfer_s
        return self.measuring_s / busy if busy else float("nan")


def makespan_of(job_records: pd.DataFrame) -> Makespan:
    """Sum up the completed packs of one site."""
    completed = job_records[job_records["end"] == "completed"]
    running = completed["run_s"].sum()
    measuring = completed["measured_s"].sum()

    return Makespan(
        packs=len(completed),
        makespan_s=float(completed["ended"].max() - completed["submitted"].min()),
        waiting_s=float(completed["queued_s"].sum()),
        transfer_s=float(max(running - measuring, 0.0)),
        measuring_s=float(measuring),
    )
