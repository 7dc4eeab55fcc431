"""Make the cells table: one line for each row, with the artifact that it comes from."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import Field, dataclass, field, fields
from typing import Any, get_type_hints

import numpy as np
import pandas as pd
import pyarrow as pa

from anisweep.artifacts.columns import KINDS, NESTED, TEXTS, columns_of, plain_type
from anisweep.artifacts.reading import Host, Installation
from anisweep.row import Row

#: Lines are sorted by this, so that the table does not depend on the order in which rows come in.
ORDER = ["site", "dataset", "replicate", "pack", "process", "output", "hypers", "order", "role", "key"]


#: So many texts of JSON are parsed in one call.
AT_ONCE = 1000


@dataclass(frozen=True)
class Platform:
    """Describe the machine and the software that a pack was measured with; ``None`` means not known.

    Attributes
    ----------
    system : operating system, kernel and architecture
    devices : accelerators, each with its kind first, as in ``cuda:0 NVIDIA H200`` or ``mps``
    packages : versions by name
    """

    host: str
    system: str = ""
    cpu_model: str = ""
    cores: int | None = None
    memory_gb: float | None = None
    python: str = ""
    cuda_version: str | None = None
    cudnn: str | None = None
    devices: tuple[str, ...] = ()
    packages: dict[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, machine: Host, installed: Installation) -> Platform:
        """Return the platform that a worker writes down."""
        cudnn, memory_mb = installed.accelerators.cudnn, machine.memory_mb
        return cls(
            host=machine.host,
            system=machine.system,
            cpu_model=machine.cpu_model,
            cores=machine.cpus,
            memory_gb=None if memory_mb is None else round(memory_mb / 1024, 1),
            python=installed.versions.get("python", ""),
            packages=dict(installed.versions),
            devices=installed.accelerators.devices,
            cuda_version=installed.accelerators.cuda_version,
            cudnn=None if cudnn is None else str(cudnn),
        )

    @classmethod
    def from_plain(cls, plain: dict[str, Any]) -> Platform:
        """Return the platform that ``dataclasses.asdict`` made plain."""
        return cls(**{**plain, "devices": tuple(plain["devices"])})


@dataclass(frozen=True)
class PackSource:
    """Say where the rows of one pack come from.

    Attributes
    ----------
    artifact : path of the artifact, relative to ``results/``
    sha256 : of the artifact's bytes
    """

    artifact: str
    sha256: str
    platform: Platform


def cells_table(
    rows: Sequence[Row] | pa.Table, sources: Mapping[str, PackSource], missing: Sequence[str] = ()
) -> pd.DataFrame:
    """Make a table with one line a row, rows of the reference included.

    It has the columns and types of the `Row` registry.

    A dictionary becomes one column an entry (``stage_<name>_s``, ``count_<name>``, ``hyper_<name>``,
    ``pool_<name>``), lists stay lists. ``hypers`` holds all hyperparameters as canonical JSON.

    Parameters
    ----------
    rows : in any order; or the columns that `columns_of` makes of them
    sources : by the name of the pack
    missing : labels of the cells that the study asks for and nobody has measured; kept in
        ``attrs["missing"]``

    Raises
    ------
    KeyError
        when the pack of a row has no source
    """
    found = rows if isinstance(rows, pa.Table) else columns_of(rows)
    order = _order(found)
    columns: dict[str, pd.Series[Any]] = {}

    for metric in fields(Row):
        column = found[metric.name].take(order)  # one by one: a sorted copy of all is large

        if metric.name not in NESTED:
            columns[metric.name] = _plain(column)
        elif metric.default_factory is dict:
            columns |= _exploded(metric, _Parsed.of(column))
        else:
            columns[metric.name] = _Parsed.of(column).series(lambda value: value, "object")

    packs = columns["pack"]
    known = {pack: _source(pack, sources) for pack in packs.unique()}
    artifacts = {pack: source.artifact for pack, source in known.items()}
    digests = {pack: source.sha256 for pack, source in known.items()}
    columns["hypers"] = _canonical(found["hypers"].take(order))
    columns["artifact"] = packs.map(artifacts).astype("str")
    columns["artifact_sha256"] = packs.map(digests).astype("str")

    table = pd.DataFrame(columns, copy=False)
    table.attrs["missing"] = list(missing)
    return table


def column_of(metric: Field[Any], key: str) -> str:
    """Return the column that holds one entry of a dictionary: ``stages_s`` gives ``stage_<key>_s``."""
    stem, unit = metric.name, ""

    if stem.endswith("_s"):
        stem, unit = stem.removesuffix("_s"), "_s"
    return f"{stem.removesuffix('s')}_{key}{unit}"


def is_of_one_kind(name: str, column: pa.ChunkedArray) -> bool:
    """Return True if all of a column's values had its type in the rows; what is mixed has become JSON."""
    if name in KINDS or not pa.types.is_large_string(column.type):
        return True
    return not any(_is_json(text) for text in column.unique().to_pylist() if text is not None)


def dtype_of(hint: Any) -> str:
    """Return the pandas type of a field of the registry; ``object`` for lists."""
    return DTYPES[plain_type(hint)]


def dtypes_of(registry: type[Any]) -> dict[str, str]:
    """Return the pandas type of each field of a registry."""
    return {name: dtype_of(hint) for name, hint in get_type_hints(registry).items()}


#: Types of pandas, and which of them a column in Arrow becomes.
DTYPES = {str: "str", int: "Int64", float: "float64", bool: "boolean", None: "object"}
FROM_ARROW = {
    arrow: pd.api.types.pandas_dtype(name)
    for arrow, name in ((pa.int64(), "Int64"), (pa.bool_(), "boolean"), (pa.string(), "str"))
}


def _order(rows: pa.Table) -> pa.Array:
    """Return the places of rows in their order."""
    columns = {name: _canonical(rows[name]) if name == "hypers" else _plain(rows[name]) for name in ORDER}
    return pa.array(pd.DataFrame(columns).sort_values(ORDER).index)


def _plain(column: pa.ChunkedArray) -> pd.Series[Any]:
    written = column.cast(pa.string()) if column.type == TEXTS else column
    values: pd.Series[Any] = written.to_pandas(types_mapper=FROM_ARROW.get)
    return values


def _canonical(column: pa.ChunkedArray) -> pd.Series[Any]:
    """Return hyperparameters as canonical JSON."""
    return _Parsed.of(column).series(lambda value: json.dumps(value, sort_keys=True), "str")


@dataclass(frozen=True)
class _Parsed:
    """Hold the distinct values of a column of JSON, and which of them each row has."""

    values: list[Any]
    places: np.ndarray

    @classmethod
    def of(cls, column: pa.ChunkedArray) -> _Parsed:
        """Parse a column, many texts at a time: a call for each takes longer than reading it."""
        texts = column.cast(pa.string()).combine_chunks().dictionary_encode()
        values: list[Any] = []
        for start in range(0, len(texts.dictionary), AT_ONCE):
            some = texts.dictionary.slice(start, AT_ONCE).to_pylist()
            values += json.loads(f"[{','.join(some)}]")
        return cls(values, texts.indices.to_numpy())

    def series(self, made: Callable[[Any], Any], dtype: str) -> pd.Series[Any]:
        """Return what is made of each row's value: once of those that come often, as hyperparameters do."""
        return self.of_each(pd.Series([made(value) for value in self.values], dtype=dtype))

    def of_each(self, distinct: pd.Series[Any]) -> pd.Series[Any]:
        """Return for each row what there is for its value."""
        return distinct.take(self.places).reset_index(drop=True)


def _exploded(metric: Field[Any], parsed: _Parsed) -> dict[str, pd.Series[Any]]:
    keys = sorted({key for value in parsed.values for key in value})
    entries = {key: _entries([value.get(key) for value in parsed.values]) for key in keys}
    return {column_of(metric, key): parsed.of_each(entries[key]) for key in keys}


def _entries(values: list[Any]) -> pd.Series[Any]:
    """Make a column: numbers and words keep their type; what is mixed or nested becomes JSON.

    Any format holds JSON.
    """
    kinds = set(map(type, values)) - {type(None)}

    if kinds <= {int, float}:
        return pd.Series(values, dtype="Int64" if kinds == {int} else "float64")

    if kinds <= {bool} or kinds <= {str}:
        return pd.Series(values, dtype="boolean" if bool in kinds else "str")

    return pd.Series([None if value is None else json.dumps(value) for value in values], dtype="str")


def _is_json(text: str) -> bool:
    try:
        json.loads(text)
    except ValueError:
        return False
    return True


def _source(pack: str, sources: Mapping[str, PackSource]) -> PackSource:
    if pack not in sources:
        raise KeyError(f"rows of pack {pack!r} came without their artifact; known packs: {sorted(sources)}")
    return sources[pack]
