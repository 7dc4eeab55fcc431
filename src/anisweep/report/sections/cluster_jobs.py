"""Show what a cluster did with the packs of a study."""

from __future__ import annotations

from datetime import UTC, datetime

import pandas as pd

from anisweep.formatting import NOTHING, counted, plain, share, time_with_unit, whole
from anisweep.report.model import Measured, Table, Value, artifact_id
from anisweep.report.sections._entries import number
from anisweep.tables.job_records import makespan_of

PLACE = 140


def section(study: Measured) -> Table:
    """Make a table with one line a pack; below it makespan, efficiency and where the time went."""
    heads = ["pack", "job", "end", "host", "attempts", "submitted (UTC)", "queued / s", "ran / s"]
    heads += ["measured / s", "sent / MB", "received / MB", "holds"]
    rows = []

    for _, line in study.job_records.iterrows():
        rows.append(
            [
                Value(line["pack"], href=f"#{artifact_id(line['pack'])}"),
                Value(f"{line['site']} {line['job']}", title=line["batch"]),
                Value(line["end"]),
                Value(line["host"], title=line["slot"]),
                Value(whole(line["attempts"]), sort=float(line["attempts"])),
                Value(_clock(line["submitted"])),
                *[
                    number(line[name], plain)
                    for name in ("queued_s", "run_s", "measured_s", "sent_mb", "received_mb")
                ],
                Value("; ".join(line["holds"])),
            ]
        )
    return Table("Jobs on the cluster", heads, rows, note=_where_the_time_went(study.job_records))


def _where_the_time_went(table: pd.DataFrame) -> str:
    sentences = []

    for site, mine in table[table["end"] == "completed"].groupby("site"):
        span = makespan_of(mine)
        sentences.append(
            f"At {site}, {counted(span.packs, 'pack')} completed within "
            f"{time_with_unit(span.makespan_s)} of the first submission. "
            f"Efficiency {share(span.efficiency)}: {time_with_unit(span.measuring_s)} of measuring and "
            f"{time_with_unit(span.transfer_s)} of transfer and start on the execute points; "
            f"{time_with_unit(span.waiting_s)} of waiting in the queue; "
            "sums over packs, which ran side by side."
        )
    return " ".join(sentences)


def _clock(seconds: float) -> str:
    if pd.isna(seconds):
        return NOTHING
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d %H:%M:%S")
