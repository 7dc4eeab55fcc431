"""The journeys table: what a cluster did with each pack, from the submission to the artifact at home."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import pandas as pd


@dataclass(frozen=True)
class PackJourney:
    """One pack on a cluster.

    Attributes
    ----------
    batch, job : the submission, and the job's number in the queue
    attempts : how often it was started
    queued_s : from the submission to the first start
    run_s : of the last attempt, files fetched and sent included
    measured_s : what all rows of the pack took; the rest of ``run_s`` is start and transfer
    sent_mb, received_mb : by the job
    submitted, ended : seconds since 1970
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
TYPES = {
    **dict.fromkeys(("pack", "site", "batch", "job", "end", "host", "slot"), "str"),
    "attempts": "Int64",
    **dict.fromkeys(
        ("queued_s", "run_s", "measured_s", "sent_mb", "received_mb", "submitted", "ended"), "float64"
    ),
    "holds": "object",
}


def journeys_of_csv(text: str) -> list[PackJourney]:
    """The inverse of ``journeys.csv``.

    Raises
    ------
    ValueError, KeyError
        when it is no such table
    """
    return [
        PackJourney(**{name: _entry(kind, line[name]) for name, kind in TYPES.items()})
        for line in csv.DictReader(io.StringIO(text), strict=True)
    ]


def _entry(kind: str, text: str) -> Any:
    if kind == "object":
        return tuple(str(hold) for hold in json.loads(text))
    if kind == "str":
        return text
    return None if text == "" else int(text) if kind == "Int64" else float(text)


def journeys_table(journeys: Sequence[PackJourney]) -> pd.DataFrame:
    """One line a pack that came from a cluster, in the order of submission."""
    rows = [asdict(journey) | {"holds": list(journey.holds)} for journey in journeys]
    columns = {name: pd.Series([row[name] for row in rows], dtype=kind) for name, kind in TYPES.items()}
    return pd.DataFrame(columns).sort_values(["submitted", "pack"], ignore_index=True)


@dataclass(frozen=True)
class Makespan:
    """Where the time of a site's packs went, in seconds.

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
        """The share of the time on the execute points in which something was measured."""
        busy = self.measuring_s + self.transfer_s
        return self.measuring_s / busy if busy else float("nan")


def makespan_of(journeys: pd.DataFrame) -> Makespan:
    """Over the packs of one site that came home."""
    home = journeys[journeys["end"] == "home"]
    running = home["run_s"].sum()
    measuring = home["measured_s"].sum()

    return Makespan(
        packs=len(home),
        makespan_s=float(home["ended"].max() - home["submitted"].min()),
        waiting_s=float(home["queued_s"].sum()),
        transfer_s=float(max(running - measuring, 0.0)),
        measuring_s=float(measuring),
    )
