"""Keep the cells table of a study beside its index, so that a new pack adds its rows alone.

The table that is kept is only believed byte for byte, and only where the same code and libraries made it. It
grows when packs come to those that it holds. It is made anew from all rows when one of them has gone or has
changed, and when the new rows would give a column another type.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
from pyarrow import compute, parquet

from anisweep.artifacts.columns import joined
from anisweep.artifacts.sealed import sealed, unsealed
from anisweep.files import read_bytes, write_bytes
from anisweep.source import PACKAGE
from anisweep.tables.cells import ORDER, PackSource, Platform, cells_table, is_of_one_kind


@dataclass(frozen=True)
class PackRows:
    """Name the rows of one pack that a table needs, which are read when it is made.

    Attributes
    ----------
    origin : what the rows come from: digest of the artifact, and of the cells where not all of them count
    read : returns the rows as columns, and where they come from
    """

    origin: str
    read: Callable[[], tuple[pa.Table, PackSource]]


@dataclass(frozen=True)
class GrownCells:
    """Hold the cells table of a study, and of each of its packs by name the origin and the platform."""

    table: pa.Table
    origins: dict[str, str]
    platforms: dict[str, Platform]


def grown_cells(packs: Mapping[str, PackRows], kept: Path) -> GrownCells:
    """Return the cells table of these packs; `keep` writes it where the next one looks for it.

    Parameters
    ----------
    packs : by name
    kept : where the table is kept, without the endings of its two files
    """
    return _from_kept(packs, kept) or _made(packs)


def keep(made: GrownCells, written: Path, kept: Path) -> None:
    """Keep a table that was written as Parquet; nothing is lost where that is not possible.

    Parameters
    ----------
    written : the file of the table
    kept : see `grown_cells`
    """
    content = written.read_bytes()
    said: dict[str, Any] = {
        "made_by": _made_by(),
        "sha256": hashlib.sha256(content).hexdigest(),
        "origins": made.origins,
        "platforms": {name: asdict(platform) for name, platform in made.platforms.items()},
    }
    with suppress(OSError):
        write_bytes(kept.with_suffix(".parquet"), content)
        write_bytes(kept.with_suffix(".json"), sealed(json.dumps(said).encode()))


def in_arrow(cells: pd.DataFrame) -> pa.Table:
    """Return a cells table as Arrow writes it."""
    return pa.Table.from_pandas(cells, preserve_index=False)


def _from_kept(packs: Mapping[str, PackRows], kept: Path) -> GrownCells | None:
    """Return the table that was kept with the rows of new packs; ``None`` where it has to be made anew."""
    origins = {name: pack.origin for name, pack in packs.items()}
    former = _read(kept, origins)
    if former is None or former.origins == origins:
        return former
    return _with_new_rows(former, packs)


def _made(packs: Mapping[str, PackRows]) -> GrownCells:
    """Make the table from the rows of all these packs."""
    sources: dict[str, PackSource] = {}

    def rows_of_each() -> Iterator[pa.Table]:
        for name, pack in packs.items():
            rows, sources[name] = pack.read()
            yield rows

    table = in_arrow(cells_table(joined(rows_of_each()), sources))
    origins = {name: pack.origin for name, pack in packs.items()}
    return GrownCells(table, origins, {name: source.platform for name, source in sources.items()})


def _with_new_rows(former: GrownCells, packs: Mapping[str, PackRows]) -> GrownCells | None:
    """Add the rows of the packs that are new; ``None`` where all rows are needed to know a column's type."""
    new = _made({name: pack for name, pack in packs.items() if name not in former.origins})
    if not {*new.table.column_names} <= {*former.table.column_names}:
        return None

    fitting = [_fitted(name, former.table[name], new.table) for name in former.table.column_names]
    if any(column is None for column in fitting):
        return None

    added = pa.table(fitting, schema=former.table.schema)
    together = pa.concat_tables([former.table, added])
    return GrownCells(_in_order(together), former.origins | new.origins, former.platforms | new.platforms)


def _in_order(table: pa.Table) -> pa.Table:
    """Return a table sorted, as slices of it: few where some rows come to many that are sorted already."""
    places = compute.sort_indices(table, [(name, "ascending") for name in ORDER]).to_numpy()
    starts = np.flatnonzero(np.diff(places, prepend=-2) != 1)
    lengths = np.diff(starts, append=len(places))
    return pa.concat_tables(
        [table.slice(places[start], length) for start, length in zip(starts, lengths, strict=True)]
    )


def _fitted(name: str, former: pa.ChunkedArray, rows: pa.Table) -> pa.ChunkedArray | None:
    """Return a column's new values in its former type; ``None`` if both together could have another type."""
    if name not in rows.column_names or rows[name].null_count == len(rows):
        return pa.chunked_array([pa.nulls(len(rows), former.type)])

    new = rows[name]
    if pa.types.is_list(former.type) and new.type == pa.list_(pa.null()):
        return new.cast(former.type)  # all of them are empty

    of_one_kind = new.type == former.type and is_of_one_kind(name, former) and is_of_one_kind(name, new)
    return new if of_one_kind else None


def _read(kept: Path, origins: Mapping[str, str]) -> GrownCells | None:
    """Return the table that was kept; ``None`` where it is not to be believed, or holds other rows."""
    try:
        said = json.loads(bytes(unsealed(read_bytes(kept.with_suffix(".json")))))
        if said["made_by"] != _made_by() or not said["origins"].items() <= origins.items():
            return None
        content = read_bytes(kept.with_suffix(".parquet"))
    except (OSError, ValueError, KeyError):
        return None

    if said["sha256"] != hashlib.sha256(content).hexdigest():
        return None
    platforms = {name: Platform.from_plain(plain) for name, plain in said["platforms"].items()}
    table = parquet.read_table(pa.BufferReader(content))
    return GrownCells(table.cast(_as_from_pandas(table.schema)), said["origins"], platforms)


def _as_from_pandas(schema: pa.Schema) -> pa.Schema:
    """Return a schema that was read with entries of lists called as pandas does, so that files are alike."""
    fields = [
        field.with_type(pa.list_(field.type.value_type)) if pa.types.is_list(field.type) else field
        for field in schema
    ]
    return pa.schema(fields, schema.metadata)


def _made_by() -> str:
    """Return a digest of this package's code, with the versions of the libraries that make tables."""
    digest = hashlib.sha256(f"pandas {pd.__version__}, pyarrow {pa.__version__}".encode())
    for file in sorted(PACKAGE.rglob("*.py")):
        digest.update(file.read_bytes())
    return digest.hexdigest()
