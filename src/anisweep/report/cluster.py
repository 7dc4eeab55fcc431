"""The part of a section that says what a cluster did."""

from __future__ import annotations

from datetime import UTC, datetime

import pandas as pd

from anisweep.report.content import Table, Value, artifact_id
from anisweep.report.numbers import NOTHING, duration, plain, share, whole
from anisweep.tables.journeys import makespan_of


def journeys(table: pd.DataFrame) -> Table:
    """One line a pack; below it makespan, efficiency and where the time went."""
    heads = ["pack", "job", "end", "host", "attempts", "submitted (UTC)", "queued / s", "ran / s"]
    heads += ["measured / s", "sent / MB", "received / MB", "holds"]
    rows = []

    for _, line in table.iterrows():
        rows.append(
            [
                Value(line["pack"], href=f"#{artifact_id(line['pack'])}"),
                Value(f"{line['site']} {line['job']}", title=line["batch"]),
                Value(line["end"]),
                Value(line["host"], title=line["slot"]),
                Value(whole(line["attempts"]), sort=float(line["attempts"])),
                Value(_clock(line["submitted"])),
                *[
                    _number(line[name])
                    for name in ("queued_s", "run_s", "measured_s", "sent_mb", "received_mb")
                ],
                Value("; ".join(line["holds"])),
            ]
        )
    return Table("Jobs on the cluster", heads, rows, note=_where_the_time_went(table))


def _where_the_time_went(table: pd.DataFrame) -> str:
    sentences = []

    for site, mine in table[table["end"] == "home"].groupby("site"):
        span = makespan_of(mine)
        sentences.append(
            f"At {site}, {span.packs} packs came home within {duration(span.makespan_s)} of the first "
            f"submission. Efficiency {share(span.efficiency)}: {duration(span.measuring_s)} of measuring and "
            f"{duration(span.transfer_s)} of transfer and start on the execute points; "
            f"{duration(span.waiting_s)} of waiting in the queue; sums over packs, which ran side by side."
        )
    return " ".join(sentences)


def _number(value: float) -> Value:
    return Value(plain(value), sort=None if pd.isna(value) else float(value))


def _clock(seconds: float) -> str:
    if pd.isna(seconds):
        return NOTHING
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d %H:%M:%S")
