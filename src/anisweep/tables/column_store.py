"""Keep the rows of artifacts as columns, one Arrow file an artifact, which tables are made of.

A file has two digests in its name: that of its artifact, and that of its own bytes. What is damaged, or was
written by another version, is not read but made anew.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Collection, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path

import pyarrow as pa
from pyarrow import ipc

from anisweep.artifacts.reading import Contents
from anisweep.cell import digest
from anisweep.files import read_bytes, write_bytes
from anisweep.tables.cells import SCHEMA, Platform, columns_of, dtypes_of

#: With other columns, or other facts of a platform, the files of before are of no use.
VERSION = digest([str(SCHEMA), dtypes_of(Platform)])[:12]

PLATFORM = b"platform"


@dataclass(frozen=True)
class PackColumns:
    """Hold the rows of one artifact, in their order, and the platform that they were measured on."""

    rows: pa.Table
    platform: Platform

    def rows_of(self, keys: Collection[str]) -> pa.Table:
        """Return the rows of these cells, and those of the reference."""
        told = zip(self.rows["key"].to_pylist(), self.rows["role"].to_pylist(), strict=True)
        return self.rows.filter(pa.array([key in keys or role != "cell" for key, role in told]))


class ColumnStore:
    """Give the columns of artifacts.

    Parameters
    ----------
    state : the folder of what can be rebuilt; the columns in it can be deleted at any time
    """

    def __init__(self, state: Path) -> None:
        self.folder = state / "columns" / VERSION
        self.made = 0
        self._files = {file.stem[:64]: file for file in self.folder.glob("[!.]*.arrow")}

    def drop_all_but(self, artifacts: Collection[str]) -> None:
        """Delete the columns of artifacts that are gone, and those of other versions."""
        gone = [file for sha256, file in self._files.items() if sha256 not in artifacts]
        others = [file for file in self.folder.parent.glob("*/*.arrow") if file.parent != self.folder]

        for file in [*gone, *others]:
            with suppress(OSError):
                file.unlink()

    def pack(self, sha256: str, contents: Callable[[], Contents]) -> PackColumns:
        """Return the columns of one artifact.

        Parameters
        ----------
        sha256 : of the artifact
        contents : reads it; called only when its columns are not here, or are damaged
        """
        known = self._files.get(sha256)
        content = _undamaged(known) if known else b""

        if not content:
            content = _written(contents())
            self.made += 1
            self._keep(sha256, content)

        rows = ipc.open_file(pa.py_buffer(content)).read_all()
        return PackColumns(rows, Platform.from_plain(json.loads(rows.schema.metadata[PLATFORM])))

    def _keep(self, sha256: str, content: bytes) -> None:
        """Write a file; where that fails, tables are made all the same."""
        with suppress(OSError):
            if damaged := self._files.pop(sha256, None):
                damaged.unlink()
            write_bytes(self.folder / f"{sha256}-{_digest_of(content)}.arrow", content)


def joined(tables: Sequence[pa.Table]) -> pa.Table:
    """Return the rows of several artifacts as one table; one without rows where there are none."""
    together = pa.concat_tables([columns_of([]), *(each.replace_schema_metadata() for each in tables)])
    return together.unify_dictionaries()


def _undamaged(file: Path) -> bytes:
    """Return the bytes of a file; none when they are not those that were written."""
    with suppress(OSError):
        content = read_bytes(file)
        if _digest_of(content) == file.stem[65:]:
            return content
    return b""


def _written(contents: Contents) -> bytes:
    platform = Platform.of(contents.host, contents.environment)
    rows = columns_of(contents.rows).replace_schema_metadata({PLATFORM: json.dumps(asdict(platform))})
    sink = pa.BufferOutputStream()

    with ipc.new_file(sink, rows.schema, options=ipc.IpcWriteOptions(compression="zstd")) as writer:
        writer.write_table(rows)
    return bytes(sink.getvalue())


def _digest_of(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
