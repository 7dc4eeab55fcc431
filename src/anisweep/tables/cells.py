"""Make the cells table: one line for each row, with the artifact that it comes from."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import Field, dataclass, field, fields
from types import UnionType
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

import pandas as pd
import pyarrow as pa

from anisweep.artifacts.reading import Host, Installation
from anisweep.row import Row

#: Lines are sorted by this, so that the table does not depend on the order in which rows come in.
ORDER = ["site", "dataset", "replicate", "pack", "process", "output", "hypers", "order", "role", "key"]


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


def columns_of(rows: Sequence[Row]) -> pa.Table:
    """Return rows as columns, in their order; lists and dictionaries as JSON."""
    columns = []

    for column in SCHEMA:
        values = [getattr(row, column.name) for row in rows]
        if DTYPES[column.name] == "object":
            values = [json.dumps(value) for value in values]
        columns.append(pa.array(values, type=column.type))

    return pa.table(columns, schema=SCHEMA)


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
    kept = _in_order(rows if isinstance(rows, pa.Table) else columns_of(rows))
    packs = kept["pack"].to_pylist()
    known = {pack: _source(pack, sources) for pack in dict.fromkeys(packs)}
    columns: dict[str, pd.Series[Any]] = {}

    for metric in fields(Row):
        column = kept[metric.name]

        if DTYPES[metric.name] != "object":
            columns[metric.name] = _plain(column)
            continue

        values = _nested(column)
        if metric.default_factory is dict:
            columns |= _exploded(metric, values)
        else:
            columns[metric.name] = pd.Series(values, dtype="object")

    columns["hypers"] = _canonical(kept["hypers"])
    columns["artifact"] = pd.Series([known[pack].artifact for pack in packs], dtype="str")
    columns["artifact_sha256"] = pd.Series([known[pack].sha256 for pack in packs], dtype="str")

    table = pd.DataFrame(columns, copy=False)
    table.attrs["missing"] = list(missing)
    return table


def column_of(metric: Field[Any], key: str) -> str:
    """Return the column that holds one entry of a dictionary: ``stages_s`` gives ``stage_<key>_s``."""
    stem, unit = metric.name, ""

    if stem.endswith("_s"):
        stem, unit = stem.removesuffix("_s"), "_s"
    return f"{stem.removesuffix('s')}_{key}{unit}"


def dtype_of(hint: Any) -> str:
    """Return the pandas type of a field of the registry; ``object`` for lists."""
    if get_origin(hint) in (Union, UnionType):
        hint = next(kind for kind in get_args(hint) if kind is not type(None))

    if get_origin(hint) is Literal:
        hint = str

    return {str: "str", int: "Int64", float: "float64", bool: "boolean"}.get(hint, "object")


def dtypes_of(registry: type[Any]) -> dict[str, str]:
    """Return the pandas type of each field of a registry."""
    return {name: dtype_of(hint) for name, hint in get_type_hints(registry).items()}


#: Texts, of which most come again in many rows: each is held once.
TEXTS = pa.dictionary(pa.int32(), pa.string())

#: The pandas type of each metric, and that of its column in Arrow: lists and dictionaries are kept as JSON.
DTYPES = {each.name: dtypes_of(Row)[each.name] for each in fields(Row)}
ARROW = {"Int64": pa.int64(), "float64": pa.float64(), "boolean": pa.bool_()}
SCHEMA = pa.schema([(name, ARROW.get(dtype, TEXTS)) for name, dtype in DTYPES.items()])

#: What pandas makes of a column in Arrow.
FROM_ARROW = {ARROW[name]: pd.api.types.pandas_dtype(name) for name in ("Int64", "boolean")}
FROM_ARROW[pa.string()] = pd.api.types.pandas_dtype("str")


def _in_order(rows: pa.Table) -> pa.Table:
    """Sort rows before they become a data frame: a sorted copy of that would need twice the memory."""
    columns = {name: _canonical(rows[name]) if name == "hypers" else _plain(rows[name]) for name in ORDER}
    return rows.take(pa.array(pd.DataFrame(columns).sort_values(ORDER).index))


def _plain(column: pa.ChunkedArray) -> pd.Series[Any]:
    written = column.cast(pa.string()) if column.type == TEXTS else column
    values: pd.Series[Any] = written.to_pandas(types_mapper=FROM_ARROW.get)
    return values


def _canonical(column: pa.ChunkedArray) -> pd.Series[Any]:
    """Return hyperparameters as canonical JSON."""
    texts = _each_once(column, lambda text: json.dumps(json.loads(text), sort_keys=True))
    return pd.Series(texts, dtype="str")


def _nested(column: pa.ChunkedArray) -> list[Any]:
    """Return the values of a column of JSON."""
    return _each_once(column, json.loads)


def _each_once(column: pa.ChunkedArray, made: Callable[[str], Any]) -> list[Any]:
    """Return what is made of each text of a column: once of those that come often, as hyperparameters do."""
    texts = column.combine_chunks()
    values = [made(text) for text in texts.dictionary.to_pylist()]
    return [values[place] for place in texts.indices.to_pylist()]


def _exploded(metric: Field[Any], values: list[dict[str, Any]]) -> dict[str, pd.Series[Any]]:
    keys = sorted({key for value in values for key in value})
    return {column_of(metric, key): _entries([value.get(key) for value in values]) for key in keys}


def _entries(values: list[Any]) -> pd.Series[Any]:
    """Make a column: numbers and words keep their type; what is mixed or nested becomes JSON.

    Any format holds JSON.
    """
    kinds = {type(value) for value in values if value is not None}

    if kinds <= {int, float}:
        return pd.Series(values, dtype="Int64" if kinds == {int} else "float64")

    if kinds <= {bool} or kinds <= {str}:
        return pd.Series(values, dtype="boolean" if bool in kinds else "str")

    return pd.Series([None if value is None else json.dumps(value) for value in values], dtype="str")


def _source(pack: str, sources: Mapping[str, PackSource]) -> PackSource:
    if pack not in sources:
        raise KeyError(f"rows of pack {pack!r} came without their artifact; known packs: {sorted(sources)}")
    return sources[pack]
