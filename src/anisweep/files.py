"""Read and write files without waiting on pipes, and without leaving them half written.

What others may have put there is opened as a plain file, or refused at once; what is written appears whole.
"""

from __future__ import annotations

import errno
import fcntl
import hashlib
import json
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, Any

#: Larger texts are nobody's: studies, packs, indexes and notes are far smaller.
LARGEST_TEXT = 2**26

KINDS = (
    (stat.S_ISDIR, "a folder"),
    (stat.S_ISFIFO, "a pipe"),
    (stat.S_ISSOCK, "a socket"),
    (stat.S_ISCHR, "a device"),
    (stat.S_ISBLK, "a device"),
)


class NoPlainFile(OSError):
    """Raised when a name that should be a file's is that of a folder, pipe, socket or device."""


def open_plain(path: Path) -> IO[bytes]:
    """Open a plain file for reading its bytes.

    Raises
    ------
    NoPlainFile
        for what would not end, or keep whoever reads it waiting
    OSError
        for what is not there, or may not be read
    """
    _check_kind(path, os.stat(path).st_mode)
    stream = os.fdopen(os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC), "rb")

    try:
        _check_kind(path, os.fstat(stream.fileno()).st_mode)
    except OSError:
        stream.close()
        raise
    return stream


def read_bytes(path: Path, largest: int = LARGEST_TEXT) -> bytes:
    """Return the content of a plain file of a sensible size.

    Raises
    ------
    OSError
        when it is no such file
    """
    with open_plain(path) as stream:
        content = stream.read(largest + 1)

    if len(content) > largest:
        raise NoPlainFile(errno.EISDIR, f"It is larger than {largest >> 20} MB", str(path))
    return content


def other_than_a_file(path: Path) -> str:
    """Return in words what stands in the way of a file; empty for a file and for nothing."""
    if path.is_symlink() and not path.exists():
        return "a link that leads nowhere"
    mode = path.stat().st_mode if path.exists() else 0
    return next((name for is_kind, name in KINDS if is_kind(mode)), "")


def sha256_of(path: Path) -> str:
    """Return the SHA-256 of a plain file."""
    with open_plain(path) as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()  # type: ignore[arg-type]


def _check_kind(path: Path, mode: int) -> None:
    for is_kind, name in KINDS:
        if is_kind(mode):
            raise NoPlainFile(errno.EISDIR, f"It is {name}", str(path))


@contextmanager
def durable(path: Path) -> Iterator[IO[bytes]]:
    """Create a file whose bytes are on the disk when the block ends."""
    with path.open("xb") as stream:
        yield stream
        stream.flush()
        os.fsync(stream.fileno())


@contextmanager
def whole(path: Path, mark: str = "", lasting: bool = True) -> Iterator[IO[bytes]]:
    """Write a file that has its name only when all its bytes are there, in place of an older one.

    Parameters
    ----------
    mark : the ending that its name has until then; by default the number of this process, so that two may
        write at the same time
    lasting : whether the bytes are on the disk by then, and survive a power cut
    """
    temporary = path.with_name(f".{path.name}.{mark or os.getpid()}")

    try:
        with temporary.open("wb") as stream:
            yield stream
            if lasting:
                stream.flush()
                os.fsync(stream.fileno())
        os.replace(temporary, path)
        if lasting:
            sync(path.parent)
    except BaseException as error:
        with suppress(OSError):
            temporary.unlink()
        if isinstance(error, OSError) and error.filename in (None, str(temporary)):
            error.filename = str(path)  # a full disk does not say where it is
        raise


def sync(path: Path) -> None:
    """Make the bytes of a file, or the names in a folder, survive a power cut."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def locked(stream: IO[Any], wait: bool = False, shared: bool = False) -> bool:
    """Lock an open file until it is closed or this process dies; return False where another one holds it."""
    kind = fcntl.LOCK_SH if shared else fcntl.LOCK_EX
    try:
        fcntl.flock(stream, kind if wait else kind | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def write_json(path: Path, value: Any) -> None:
    """Replace a small file with a value as JSON; readers see the old or the new file, never a part."""
    write_text(path, json.dumps(value, separators=(",", ":")))


def write_text(path: Path, text: str) -> None:
    """Replace a small file with a text; readers see the old or the new file, never a part."""
    write_bytes(path, text.encode())


def write_bytes(path: Path, content: bytes) -> None:
    """Replace a small file with some bytes; readers see the old or the new file, never a part."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with whole(path, lasting=False) as stream:
        stream.write(content)
