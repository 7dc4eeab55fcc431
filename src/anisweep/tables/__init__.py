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
from pyarrow import parquet

from anisweep.files import whole, write_text
from anisweep.row import Row
from anisweep.tables import old_tables
from anisweep.tables.bundles import read_bundles
from anisweep.tables.cells import PackSource, Platform, cells_table
from anisweep.tables.grown_cells import GrownCells, PackRows, grown_cells, in_arrow, keep
from anisweep.tables.hotspots import Profile, write_profiles
from anisweep.tables.job_records import PackJobRecord, job_records_table, with_times_as_text
from anisweep.tables.metrics import columns_markdown, metrics_markdown
from anisweep.tables.reading import LISTS, read
from anisweep.tables.studies import all_cells
from anisweep.tables.summary import SUMMARISED, SummaryLine, summary_table

#: A larger table of cells is written as CSV on demand alone; its size is told from so many rows.
LARGEST_CSV_MB = 50
SAMPLE = 1000

__all__ = [
    "LISTS",
    "GrownCells",
    "PackJobRecord",
    "PackRows",
    "PackSource",
    "Platform",
    "Profile",
    "SummaryLine",
    "all_cells",
    "cells_table",
    "columns_markdown",
    "export",
    "grown_cells",
    "metrics_markdown",
    "read",
    "read_bundles",
    "read_platforms",
    "summary_table",
    "write_all",
    "write_cells",
    "write_grown_cells",
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
    cells = cells_table(rows, sources)
    platforms = {pack: sources[pack].platform for pack in cells["pack"].unique()}
    write_grown_cells(GrownCells(in_arrow(cells), {}, platforms), folder, missing)


def write_grown_cells(
    cells: GrownCells, folder: Path, missing: Sequence[str] = (), kept: Path | None = None
) -> None:
    """Write the same files from a table that is made already, and keep it (see `grown_cells`)."""
    folder.mkdir(parents=True, exist_ok=True)
    attributes = {b"PANDAS_ATTRS": json.dumps({"missing": list(missing)})}  # where pandas looks for them
    table = cells.table.replace_schema_metadata({**cells.table.schema.metadata, **attributes})
    table = table.combine_chunks()  # pieces, in which it may have grown, would be written as other bytes
    parquet.write_table(table, folder / "cells.parquet")
    if kept:
        keep(cells, folder / "cells.parquet", kept)

    if (size_mb := _size_mb(_with_lists(table.slice(0, SAMPLE)), table.num_rows)) > LARGEST_CSV_MB:
        _write_no_csv(folder / "cells.csv", table.num_rows, size_mb)
    else:
        _as_csv(_with_lists(table)).to_csv(folder / "cells.csv", index=False)

    platforms = {pack: asdict(platform) for pack, platform in sorted(cells.platforms.items())}
    (folder / "platforms.json").write_text(json.dumps(platforms, indent=1) + "\n")
    (folder / "missing.json").write_text(json.dumps(list(missing), indent=1) + "\n")


def write_job_records(job_records: Sequence[PackJobRecord], folder: Path) -> None:
    """Write the job records as Parquet and CSV; the table has no lines where no cluster was used."""
    folder.mkdir(parents=True, exist_ok=True)
    table = job_records_table(job_records)
    _write(table, folder / "job_records", as_text=with_times_as_text(table))


def write_summary(folder: Path) -> None:
    """Write ``summary.parquet`` and ``.csv`` from ``cells.parquet``."""
    _write(summary_table(read(folder, "cells", SUMMARISED)), folder / "summary")


def write_old_tables(folder: Path) -> None:
    """Write the study's old tables from ``cells.parquet`` and ``platforms.json``.

    They are explained in `anisweep.tables.old_tables`.
    """
    distinct: list[Platform] = []

    for platform in read_platforms(folder).values():
        if platform not in distinct:
            distinct.append(platform)

    old_tables.write(read(folder, "cells", old_tables.NEEDED), distinct, folder)


def read_platforms(folder: Path) -> dict[str, Platform]:
    """Return the platform of each pack."""
    plain = json.loads((folder / "platforms.json").read_text())
    return {pack: Platform.from_plain(fields) for pack, fields in plain.items()}


def export(folder: Path) -> None:
    """Write ``cells.csv`` from ``cells.parquet``, however large it is."""
    cells = read(folder, "cells")
    with whole(folder / "cells.csv") as stream:
        _as_csv(_with_lists(in_arrow(cells))).to_csv(stream, index=False)


def _write(table: pd.DataFrame, stem: Path, as_text: pd.DataFrame | None = None) -> None:
    """Write a table as Parquet, and as CSV; the latter from ``as_text`` where that is given."""
    table.to_parquet(stem.with_suffix(".parquet"), index=False)
    _as_csv(table if as_text is None else as_text).to_csv(stem.with_suffix(".csv"), index=False)


def _size_mb(sample: pd.DataFrame, rows: int) -> float:
    """Return about how large a table of so many rows is as CSV."""
    text = _as_csv(sample).to_csv(index=False)
    return len(text) / 2**20 * rows / max(1, len(sample))


def _write_no_csv(file: Path, rows: int, size_mb: float) -> None:
    """Write a line in place of a table that is too large, which says how to have it."""
    said = f"{rows:,} rows, about {size_mb:.0f} MB: `anisweep tables export STUDY` writes them here"
    write_text(file, f"{said}\n")


def _with_lists(table: pa.Table) -> pd.DataFrame:
    """Return a table for pandas, with lists as Python knows them."""
    cells: pd.DataFrame = table.to_pandas()
    return cells.assign(**{name: table[name].to_pylist() for name in _objects(cells)})


def _objects(table: pd.DataFrame) -> list[str]:
    """Return the columns that hold no plain numbers and texts."""
    return [str(name) for name, kind in table.dtypes.items() if kind == "object"]


def _as_csv(table: pd.DataFrame) -> pd.DataFrame:
    """Return a table with its lists as JSON."""
    lists = [name for name in _objects(table) if table[name].map(lambda value: isinstance(value, list)).any()]
    return table.assign(**{name: [json.dumps(value) for value in table[name]] for name in lists})
