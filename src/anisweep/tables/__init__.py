"""Tables: rows of artifacts in, Parquet and CSV out.

Three steps, each of which reads what the one before wrote: `write_cells`, `write_summary`,
`write_legacy_tables`. `write_all` does them in turn.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path

import pandas as pd

from anisweep.row import Row
from anisweep.tables.bundles import read_bundles
from anisweep.tables.cells import Platform, Source, cells_table
from anisweep.tables.hotspots import Profile, write_profiles
from anisweep.tables.journeys import PackJourney, journeys_table
from anisweep.tables.legacy import write_legacy
from anisweep.tables.metrics import columns_markdown, metrics_markdown
from anisweep.tables.studies import all_cells
from anisweep.tables.summary import Summary, summary_table

__all__ = [
    "PackJourney",
    "Platform",
    "Profile",
    "Source",
    "Summary",
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
    "write_journeys",
    "write_legacy_tables",
    "write_profiles",
    "write_summary",
]


def write_all(
    rows: Sequence[Row], sources: Mapping[str, Source], folder: Path, missing: Sequence[str] = ()
) -> None:
    """Every table of a study into ``folder``; see `cells_table` for the parameters."""
    write_cells(rows, sources, folder, missing)
    write_journeys([], folder)
    write_summary(folder)
    write_legacy_tables(folder)


def write_cells(
    rows: Sequence[Row], sources: Mapping[str, Source], folder: Path, missing: Sequence[str] = ()
) -> None:
    """``cells.parquet`` and ``.csv``, ``platforms.json``, and ``missing.json``: what nobody has measured."""
    folder.mkdir(parents=True, exist_ok=True)
    _write(cells_table(rows, sources, missing), folder / "cells")

    packs = sorted({row.pack for row in rows})
    platforms = {pack: asdict(sources[pack].platform) for pack in packs}
    (folder / "platforms.json").write_text(json.dumps(platforms, indent=1) + "\n")
    (folder / "missing.json").write_text(json.dumps(list(missing), indent=1) + "\n")


def write_journeys(journeys: Sequence[PackJourney], folder: Path) -> None:
    """``journeys.parquet`` and ``.csv``: what a cluster did; without lines where nothing came from one."""
    folder.mkdir(parents=True, exist_ok=True)
    _write(journeys_table(journeys), folder / "journeys")


def write_summary(folder: Path) -> None:
    """``summary.parquet`` and ``.csv`` from ``cells.parquet``."""
    _write(summary_table(read(folder, "cells")), folder / "summary")


def write_legacy_tables(folder: Path) -> None:
    """The study's old tables from ``cells.parquet`` and ``platforms.json``; see `anisweep.tables.legacy`."""
    distinct: list[Platform] = []

    for platform in read_platforms(folder).values():
        if platform not in distinct:
            distinct.append(platform)

    write_legacy(read(folder, "cells"), distinct, folder)


def read(folder: Path, table: str) -> pd.DataFrame:
    """``cells``, ``summary``, ``journeys`` or ``hotspots`` back, with its types."""
    return pd.read_parquet(folder / f"{table}.parquet")


def read_platforms(folder: Path) -> dict[str, Platform]:
    """The platform of each pack."""
    plain = json.loads((folder / "platforms.json").read_text())
    return {
        pack: Platform(**{**fields, "devices": tuple(fields["devices"])}) for pack, fields in plain.items()
    }


def _write(table: pd.DataFrame, stem: Path) -> None:
    table.to_parquet(stem.with_suffix(".parquet"), index=False)

    lists = [name for name in table.columns if table[name].map(lambda value: isinstance(value, list)).any()]
    as_text = {name: [json.dumps(value) for value in table[name]] for name in lists}
    table.assign(**as_text).to_csv(stem.with_suffix(".csv"), index=False)
