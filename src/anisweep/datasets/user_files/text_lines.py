"""Read the lines of a text file, compressed or not."""

from __future__ import annotations

import bz2
import gzip
import io
import itertools
import lzma
import re
import shlex
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from anisweep.datasets.errors import DataError

#: What reading the bytes or the text of a file may raise.
UNREADABLE = (OSError, EOFError, UnicodeError, lzma.LZMAError, zlib.error)

#: How much is decompressed at a time.
CHUNK = 1 << 18


def name_without_compression(path: Path) -> str:
    """Return the file's name in small letters, without the ending that says how it is compressed."""
    name = path.name.lower()
    ending = Path(name).suffix
    return name.removesuffix(ending) if ending in OPENERS else name


class Lines:
    """Read the lines of a file, one after another or several at once.

    Lines end at newlines alone. Form feeds and the separators of Unicode, at which ``str.splitlines`` cuts
    too, are text like any other.

    Attributes
    ----------
    number : of the line that was taken last, from 1
    """

    def __init__(self, path: Path, stream: Iterator[str]) -> None:
        self.path = path
        self.number = 0
        self._stream = stream
        self._last = "\n"

    def take(self, count: int) -> list[str]:
        """Return the next lines, fewer at the end of the file."""
        taken = list(itertools.islice(self._stream, count))
        self.number += len(taken)
        self._last = taken[-1] if taken else self._last
        return taken

    def next(self) -> str:
        """Return the next line, or nothing at the end of the file."""
        return "".join(self.take(1))

    def _newline(self) -> str:
        """Return the command that adds a newline; compressed files are appended to by what made them."""
        program = PROGRAMS.get(compression_of(self.path))
        return f"echo{f' | {program}' if program else ''} >> {shlex.quote(str(self.path))}"

    def check_end(self) -> None:
        """Raise ``DataError`` if the last line has no end: then the file may not be whole."""
        if self._last.strip() and not self._last.endswith("\n"):
            raise DataError(
                f"{self.path}, line {self.number}",
                f"the file ends within the line {self._last.strip()[-40:]!r}, which may have been cut",
                "a newline after the last line",
                f"if the file is whole, add one: {self._newline()}; else write or copy it again",
            )


@contextmanager
def open_lines(path: Path) -> Iterator[Lines]:
    """Open a text file, decompressed where it is compressed.

    Raises
    ------
    DataError
        When it cannot be opened, decompressed or decoded, now or while its lines are taken.
    """
    try:
        with open_bytes(path) as stream:
            yield Lines(path, io.TextIOWrapper(stream, encoding="utf-8-sig", newline="\n"))
    except UNREADABLE as error:
        raise DataError(
            str(path),
            f"it cannot be read ({error})",
            f"text in UTF-8, or {', '.join(OPENERS)} of it",
            "name the right file; if it was cut or damaged on its way, copy it again",
        ) from error


def open_bytes(path: Path) -> io.BufferedReader:
    """Open a file for reading its bytes, decompressed by what its first bytes say, else by its ending."""
    ending = compression_of(path) or path.suffix.lower()
    return OPENERS[ending](path) if ending in OPENERS else path.open("rb")


def compression_of(path: Path) -> str:
    """Return the usual ending of a compressed file by its first bytes; empty where they say nothing."""
    with path.open("rb") as stream:
        beginning = stream.read(16)
    return next((ending for ending, start in COMPRESSED.items() if start.match(beginning)), "")


class _Zstandard(io.RawIOBase):
    """Decompress a .zst file, and refuse a cut one, which the library's own reader ends early, silently."""

    def __init__(self, path: Path) -> None:
        try:
            import zstandard
        except ImportError as error:
            came = "it is compressed with zstd, and the package zstandard is not there"
            remedy = f"pip install 'anisweep[zstd]', or decompress it first: zstd -d {path.name}"
            raise DataError(str(path), came, ".gz, .bz2 or .xz without this package", remedy) from error

        self._error = zstandard.ZstdError
        self._start = zstandard.ZstdDecompressor().decompressobj
        self._frame = self._start()
        self._file = path.open("rb")
        self._waiting = b""

    def readable(self) -> bool:
        """Return True: bytes can be read."""
        return True

    def readinto(self, buffer: Any) -> int:
        """Fill a buffer, and return how many bytes there were."""
        while not self._waiting and (compressed := self._file.read(CHUNK)):
            self._waiting = self._decompress(compressed)

        if not self._waiting and not self._frame.eof:
            raise EOFError("compressed file ended before the end of its data")

        count = min(len(buffer), len(self._waiting))
        buffer[:count] = self._waiting[:count]
        self._waiting = self._waiting[count:]
        return count

    def _decompress(self, compressed: bytes) -> bytes:
        pieces = []

        try:
            while compressed:
                if self._frame.eof:
                    self._frame = self._start()
                pieces.append(self._frame.decompress(compressed))
                compressed = self._frame.unused_data
        except self._error as error:
            raise OSError(str(error)) from error
        return b"".join(pieces)

    def close(self) -> None:
        """Close the file."""
        self._file.close()
        super().close()


#: By the ending of a name.
OPENERS: dict[str, Callable[[Path], Any]] = {
    ".gz": gzip.open,
    ".bz2": bz2.open,
    ".xz": lzma.open,
    ".zst": lambda path: io.BufferedReader(_Zstandard(path), CHUNK),
}

#: What compresses, by the usual ending; all of them read what is appended.
PROGRAMS = {".gz": "gzip", ".bz2": "bzip2", ".xz": "xz", ".zst": "zstd"}

#: How compressed files begin, by the usual endings of their names.
COMPRESSED = {
    ".gz": re.compile(rb"\x1f\x8b\x08"),
    ".bz2": re.compile(rb"BZh[1-9]1AY&SY"),
    ".xz": re.compile(rb"\xfd7zXZ\x00"),
    ".zst": re.compile(rb"\x28\xb5\x2f\xfd"),
}
