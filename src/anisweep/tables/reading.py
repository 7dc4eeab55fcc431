"""Read tables back, also those that the former version wrote."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from anisweep.former_names import COLUMNS, TABLES, VALUES, warn

AGAIN = "What makes this table again writes the new name."


def read(folder: Path, table: str) -> pd.DataFrame:
    """Read ``cells``, ``summary``, ``job_records``, ``hotspots`` or ``old_rows`` back, with its types."""
    file = folder / f"{table}.parquet"
    former = folder / f"{TABLES.get(table, table)}.parquet"
    if file.exists() or not former.exists():
        return _with_new_names(pd.read_parquet(file), file)

    warn(str(former), former.name, file.name, AGAIN)
    return _with_new_names(pd.read_parquet(former), former)


def _with_new_names(table: pd.DataFrame, file: Path) -> pd.DataFrame:
    columns = {former: name for former, name in COLUMNS.items() if former in table}
    for former, name in columns.items():
        warn(str(file), f"the column {former}", name, AGAIN)

    renamed = table.rename(columns=columns)
    for column, words in VALUES.items():
        for former in words.keys() & set(renamed.get(column, ())):
            warn(str(file), f"{former}, in the column {column},", words[former], AGAIN)
            renamed[column] = renamed[column].replace(former, words[former])
    return renamed
