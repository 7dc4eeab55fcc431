"""Hold what an artifact says as columns, which tables are made of, in one Arrow file an artifact."""

from __future__ import annotations

import json
import zlib
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from types import UnionType
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

import pyarrow as pa
from pyarrow import ipc

from anisweep.artifacts.reading import Contents, Host, Installation
from anisweep.artifacts.sealed import fields_of, sealed, unsealed
from anisweep.cell import Pack
from anisweep.parsing.schema import build
from anisweep.row import Row

#: Texts, of which most come again in many rows: each is held once.
TEXTS = pa.dictionary(pa.int32(), pa.string())

#: So many tables are copied at a time.
BATCH = 100


def plain_type(hint: Any) -> Any:
    """Return ``str``, ``int``, ``float`` or ``bool`` for a field of a registry; ``None`` if it is nested."""
    if get_origin(hint) in (Union, UnionType):
        hint = next(kind for kind in get_args(hint) if kind is not type(None))

    if get_origin(hint) is Literal:
        return str
    return hint if hint in (str, int, float, bool) else None


ARROW = {int: pa.int64(), float: pa.float64(), bool: pa.bool_(), str: TEXTS, None: TEXTS}
KINDS = {name: plain_type(hint) for name, hint in get_type_hints(Row).items() if name != "NEEDED"}

#: Columns of rows; lists and dictionaries are kept as JSON.
SCHEMA = pa.schema([(name, ARROW[kind]) for name, kind in KINDS.items()])
NESTED = frozenset(name for name, kind in KINDS.items() if kind is None)


@dataclass(frozen=True)
class PackColumns:
    """Hold what one artifact says, its rows as columns in their order, and its pack as compressed JSON."""

    rows: pa.Table
    pack: bytes
    host: Host
    environment: Installation

    @classmethod
    def of(cls, contents: Contents) -> PackColumns:
        """Return what an artifact says as columns."""
        pack = json.dumps(contents.pack, default=fields_of).encode()
        return cls(columns_of(contents.rows), zlib.compress(pack), contents.host, contents.environment)

    @classmethod
    def from_bytes(cls, content: bytes) -> PackColumns:
        """Return what `to_bytes` wrote.

        Raises
        ------
        ValueError
            when these are other bytes, or another version wrote them
        """
        table = ipc.open_file(pa.py_buffer(unsealed(content))).read_all()
        if not table.schema.equals(SCHEMA):
            raise ValueError("another version wrote it")

        said = table.schema.metadata
        return cls(
            table.replace_schema_metadata(),
            said[b"pack"],
            build(Host, json.loads(said[b"host"])),
            build(Installation, json.loads(said[b"environment"])),
        )

    def to_bytes(self) -> bytes:
        """Return it as an Arrow file, not compressed: unpacking many small columns takes ten times longer."""
        said = {
            "pack": self.pack,
            "host": json.dumps(self.host, default=fields_of),
            "environment": json.dumps(self.environment, default=fields_of),
        }
        sink = pa.BufferOutputStream()

        with ipc.new_file(sink, SCHEMA.with_metadata(said)) as writer:
            writer.write_table(self.rows)
        return sealed(bytes(sink.getvalue()))

    @property
    def contents(self) -> Contents:
        """Return what the artifact says as objects."""
        pack = Pack.from_plain(json.loads(zlib.decompress(self.pack)))
        return Contents(pack, self.row_objects, self.host, self.environment)

    @property
    def row_objects(self) -> list[Row]:
        """Return the rows as objects."""
        rows = self.rows.to_pylist()
        return [
            Row(**{name: json.loads(value) if name in NESTED else value for name, value in row.items()})
            for row in rows
        ]

    def of_cells(self, keys: Collection[str]) -> PackColumns:
        """Return it with the rows of these cells alone, and those of the reference."""
        told = zip(self.rows["key"].to_pylist(), self.rows["role"].to_pylist(), strict=True)
        kept = self.rows.filter(pa.array([key in keys or role != "cell" for key, role in told]))
        return replace(self, rows=kept)


def columns_of(rows: Sequence[Row]) -> pa.Table:
    """Return rows as columns, in their order; lists and dictionaries as JSON."""
    columns = []

    for column in SCHEMA:
        values = [getattr(row, column.name) for row in rows]
        if column.name in NESTED:
            values = [json.dumps(value) for value in values]
        columns.append(pa.array(values, type=column.type))

    return pa.table(columns, schema=SCHEMA)


def joined(tables: Iterable[pa.Table]) -> pa.Table:
    """Return the rows of several artifacts as one table; one without rows where there are none.

    Tables are copied by the hundred, since each keeps the whole file that it was read from in memory.
    """
    left = iter(tables)
    parts = [columns_of([])]
    while batch := list(islice(left, BATCH)):
        parts.append(pa.concat_tables(batch).unify_dictionaries().combine_chunks())

    together = pa.concat_tables(parts).unify_dictionaries()
    pa.default_memory_pool().release_unused()
    return together
