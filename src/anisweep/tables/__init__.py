"""Make the tables of a study from the rows of its artifacts, as Parquet and CSV.

There are three steps, each of which reads what the one before wrote: `write_cells`, `write_summary`,
`write_old_tables`. `write_all` does them in turn.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path

import pandas as pd
import pyarrow as pa

from anisweep.row import Row
from anisweep.tables import old_tables
from anisweep.tables.bundles import read_bundles
from anisweep.tables.cells import PackSource, Platform, cells_table
from anisweep.tables.column_store import ColumnStore
from anisweep.tables.hotspots import Profile, write_profiles
from anisweep.tables.job_records import PackJobRecord, job_records_table, with_times_as_text
from anisweep.tables.metrics import columns_markdown, metrics_markdown
from anisweep.tables.reading import read
from anisweep.tables.studies import all_cells
from anisweep.tables.summary import SummaryLine, summary_table

__all__ = [
    "ColumnStore",
    "PackJobRecord",
    "PackSource",
    "Platform",
    "Profile",
    "SummaryLine",
    "all_cells",
    "cells_table",
    "columns_markdown",
    "metrics_markdown",
    "read",
    "read_bundles",
    "read_platforms",
    "summary_table",
    "write_all",
    "write_cells",
    "write_job_records",
    "write_old_tables",
    "write_profiles",
    "write_summary",
]


def write_all(
    rows: Sequence[Row] | pa.Table,
    sources: Mapping[str, PackSource],
    folder: Path,
    missing: Sequence[str] = (),
) -> None:
    """Write every table of a study into ``folder``; see `cells_table` for the parameters."""
    write_cells(rows, sources, folder, missing)
    write_job_records([], folder)
    write_summary(folder)
    write_old_tables(folder)


def write_cells(
    rows: Sequence[Row] | pa.Table,
    sources: Mapping[str, PackSource],
    folder: Path,
    missing: Sequence[str] = (),
) -> None:
    """Write ``cells.parquet`` and ``.csv``, ``platforms.json``, and ``missing.json``.

    The last one lists what nobody has measured.
    """
    folder.mkdir(parents=True, exist_ok=True)
    cells = cells_table(rows, sources, missing)
    _write(cells, folder / "cells")

    platforms = {pack: asdict(sources[pack].platform) for pack in sorted(cells["pack"].unique())}
    (folder / "platforms.json").write_text(json.dumps(platforms, indent=1) + "\n")
    (folder / "missing.json").write_text(json.dumps(list(missing), indent=1) + "\n")


def write_job_records(job_records: Sequence[PackJobRecord], folder: Path) -> None:
    """Write the job records as Parquet and CSV; the table has no lines where no cluster was used."""
    folder.mkdir(parents=True, exist_ok=True)
    table = job_records_table(job_records)
    _write(table, folder / "job_records", as_text=with_times_as_text(table))


def write_summary(folder: Path) -> None:
    """Write ``summary.parquet`` and ``.csv`` from ``cells.parquet``."""
    _write(summary_table(read(folder, "cells")), folder / "summary")


def write_old_tables(folder: Path) -> None:
    """Write the study's old tables from ``cells.parquet`` and ``platforms.json``.

    They are explained in `anisweep.tables.old_tables`.
    """
    distinct: list[Platform] = []

    for platform in read_platforms(folder).values():
        if platform not in distinct:
            distinct.append(platform)

    old_tables.write(read(folder, "cells"), distinct, folder)


def read_platforms(folder: Path) -> dict[str, Platform]:
    """Return the platform of each pack."""
    plain = json.loads((folder / "platforms.json").read_text())
    return {pack: Platform.from_plain(fields) for pack, fields in plain.items()}


def _write(table: pd.DataFrame, stem: Path, as_text: pd.DataFrame | None = None) -> None:
    """Write a table as Parquet, and as CSV; the latter from ``as_text`` where that is given."""
    table.to_parquet(stem.with_suffix(".parquet"), index=False)

    shown = table if as_text is None else as_text
    lists = [name for name in shown.columns if shown[name].map(lambda value: isinstance(value, list)).any()]
    listed = {name: [json.dumps(value) for value in shown[name]] for name in lists}
    shown.assign(**listed).to_csv(stem.with_suffix(".csv"), index=False)
