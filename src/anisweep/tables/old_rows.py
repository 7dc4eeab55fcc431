"""Keep rows of old bundles in a table of their own, never averaged with measured cells.

A bundle of the AniSOAP profiling study (doi:10.5281/zenodo.17519888) says which file and which mode were
asked for, and how long something took. It has no record of what really ran, so each row carries the list of
what is unproven about it.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path

import pandas as pd

from anisweep.row import metric
from anisweep.tables.cells import dtypes_of
from anisweep.tables.reading import read

#: What no bundle of the study's formats records.
UNPROVEN = "mode that ran, threads, output, hyperparameters, precision, device, host, versions, fidelity"


@dataclass(frozen=True)
class OldRow:
    """Hold one line of an old table, or one old JSON file; an empty entry was not in it."""

    site: str = metric("where the bundle says that it was measured", default="")
    table: str = metric("old table that it stood in, or `metrics`", default="")
    file: str = metric("structure file", default="")
    mode: str = metric("mode that was asked for", default="")
    id: str = metric("number of the job", default="")
    tag: str = metric("what was compared, in a table of utilisations", default="")
    rep: int | None = metric("number of the repetition")
    N: int | None = metric("number of particles")
    species: int | None = metric("number of species")
    wall_s: float | None = metric("wall time", "s")
    compute_s: float | None = metric("wall time without conversion", "s")
    conv_in_s: float | None = metric("conversion from NumPy", "s")
    conv_out_s: float | None = metric("conversion back", "s")
    time_per_N2: float | None = metric("wall time / N^2", "s")
    runs: int | None = metric("runs that a mean is of")
    wall_mean: float | None = metric("mean wall time", "s")
    wall_std: float | None = metric("its standard deviation", "s")
    tN2_mean: float | None = metric("mean of wall time / N^2", "s")
    conv_in_mean: float | None = metric("mean conversion from NumPy", "s")
    conv_out_mean: float | None = metric("mean conversion back", "s")
    util: float | None = metric("utilisation, as it was written")
    returncode: int | None = metric("exit status of the process")
    elapsed_s: float | None = metric("time of the whole process, start-up included", "s")
    max_rss_kb: int | None = metric("resident memory at its peak", "kB")
    inblock: int | None = metric("blocks read from disk", "blocks")
    oublock: int | None = metric("blocks written to disk", "blocks")

    provenance: str = metric("always `old bundle`: these rows are no measured cells", default="old bundle")
    unproven: str = metric("what nothing in the bundle shows", default=UNPROVEN)
    bundle: str = metric("name of the archive", default="")
    bundle_sha256: str = metric("SHA-256 of the archive", default="")
    member: str = metric("file inside it", default="")
    line: int = metric("line of that file", default=1)


#: Columns of the old tables that are written again, by the old names (`species` was `species_unique` in one).
SHORT = ["file", "mode", "wall_s", "N", "species"]
LONG = ["file", "mode", "rep", "N", "species_unique", "wall_s", "compute_s", "conv_in_s", "conv_out_s"]
COLUMNS = {
    "timings_local": [*LONG, "time_per_N2"],
    "summary": ["file", "mode", "N", "species", "runs", "wall_mean", "wall_std", "tN2_mean"],
    "timings": ["id", "file", "mode", "wall_s"],
    "combined_from_metrics": SHORT,
}
CONVERSION = ["conv_in_mean", "conv_out_mean"]
UTILISATION = ["tag", "util"]


def read_old_rows(folder: Path) -> pd.DataFrame:
    """Read ``old_rows.parquet`` with the columns of `OldRow`; without lines where there was no old bundle."""
    try:
        return read(folder, "old_rows")
    except FileNotFoundError:
        return old_rows_table([])


def old_rows_table(rows: Iterable[OldRow]) -> pd.DataFrame:
    """Make a table with one line a row, in the order in which they come."""
    plain = [asdict(row) for row in rows]
    types = dtypes_of(OldRow)
    return pd.DataFrame(plain, columns=list(types)).astype(types)


def write_old_rows(table: pd.DataFrame, folder: Path) -> list[str]:
    """Write ``old_rows.parquet`` and ``.csv``, and the old tables by their old names.

    Returns
    -------
    list of str
        names of the old tables that hold a line
    """
    folder.mkdir(parents=True, exist_ok=True)
    temporary = folder / ".old_rows.parquet"
    table.to_parquet(temporary, index=False)
    temporary.replace(folder / "old_rows.parquet")
    table.to_csv(folder / "old_rows.csv", index=False)

    names = [name for name in table["table"].unique() if name != "metrics"]
    for name in names:
        old = old_columns(table[table["table"] == name], name)
        old.to_csv(folder / f"{name}.csv", index=False, header=name != "timings")
    return sorted(names)


def old_columns(rows: pd.DataFrame, name: str) -> pd.DataFrame:
    """Return lines of one old table with its columns; optional ones only if a line fills them."""
    if name.startswith("summary"):
        optional = [column for column in [*CONVERSION, *UTILISATION] if _filled(rows[column])]
        return rows[[*COLUMNS["summary"], *optional]]

    if name == "timings_local" and _filled(rows["compute_s"]):
        return rows.rename(columns={"species": "species_unique"})[COLUMNS[name]]
    return rows[COLUMNS.get(name, SHORT) if name != "timings_local" else SHORT]


def _filled(column: pd.Series) -> bool:  # type: ignore[type-arg]
    return bool((column.notna() & (column.astype("str") != "")).any())
