"""Read tables back, also those that the former version wrote."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from pathlib import Path

import pandas as pd
from pyarrow import parquet

from anisweep.former_names import COLUMNS, TABLES, VALUES, warn

#: Lists of the cells that nothing but the tables shows; to read them takes longer than all the rest.
LISTS = ("walls_s", "shape")

AGAIN = "What makes this table again writes the new name."


def read(
    folder: Path, table: str, columns: Sequence[str] = ("",), without: Collection[str] = ()
) -> pd.DataFrame:
    """Read ``cells``, ``summary``, ``job_records``, ``hotspots`` or ``old_rows`` back, with its types.

    Parameters
    ----------
    columns : names, or what names begin with; all when left out
    without : names of columns that are left out
    """
    file = folder / f"{table}.parquet"
    former = folder / f"{TABLES.get(table, table)}.parquet"
    if file.exists() or not former.exists():
        return _with_new_names(_read(file, columns, without), file)

    warn(str(former), former.name, file.name, AGAIN)
    return _with_new_names(_read(former, columns, without), former)


def _read(file: Path, columns: Sequence[str], without: Collection[str]) -> pd.DataFrame:
    """Read the columns whose names, as they are now, begin with one of these words."""
    names = [name for name in parquet.read_schema(file).names if name not in without]
    chosen = [name for name in names if COLUMNS.get(name, name).startswith(tuple(columns))]
    return pd.read_parquet(file, columns=chosen)


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
