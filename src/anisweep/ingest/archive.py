"""Archives from elsewhere: their members, one by one, in memory. Nothing is extracted by its own name."""

from __future__ import annotations

import gzip
import io
import stat
import tarfile
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

LARGEST_MEMBER = 256 * 2**20
LARGEST_TOTAL = 2 * 2**30
MOST_MEMBERS = 20_000

#: Long names and extended headers; a hostile one would fill the memory before it is a member.
LARGEST_HEADER = 2**16
EXTENSIONS = (
    tarfile.GNUTYPE_LONGNAME,
    tarfile.GNUTYPE_LONGLINK,
    tarfile.XHDTYPE,
    tarfile.XGLTYPE,
    tarfile.SOLARIS_XHDTYPE,
)


@dataclass(frozen=True)
class Member:
    """A plain file of an archive."""

    name: str
    content: bytes


@dataclass(frozen=True)
class Refused:
    """What was not taken, and why."""

    name: str
    why: str


class Broken(Exception):
    """The archive cannot be read any further."""


def members(file: Path) -> Iterator[Member | Refused]:
    """Every file in a tar (gzipped or not) or zip archive, or the file itself when it is neither.

    What is hostile or broken is refused by itself, and the rest goes on as far as it can be read: names
    that leave the folder, links, devices, members that are too large, truncated or standing there twice.
    """
    seen: set[str] = set()
    total = 0

    try:
        for found in _members(file):
            if isinstance(found, Member):
                total += len(found.content)
                if found.name in seen:
                    found = Refused(found.name, "it stands in the archive twice; the first one was taken")
                seen.add(found.name)

            if total > LARGEST_TOTAL or len(seen) > MOST_MEMBERS:
                raise Broken(f"more than {LARGEST_TOTAL >> 30} GiB or {MOST_MEMBERS} files unpacked, a bomb")
            yield found
    except Broken as broken:
        yield Refused(file.name, f"{broken}; what stands before that was taken")


def _members(file: Path) -> Iterator[Member | Refused]:
    with file.open("rb") as raw:
        start = raw.read(512)

    if start.startswith(b"PK"):
        yield from _of_zip(file)
    elif start.startswith(b"\x1f\x8b"):
        with gzip.open(file) as stream:
            yield from _of_tar(stream)
    elif start[257:262] == b"ustar":
        with file.open("rb") as stream:
            yield from _of_tar(stream)
    elif file.stat().st_size > LARGEST_MEMBER:
        yield Refused(file.name, f"larger than {LARGEST_MEMBER >> 20} MB")
    else:
        yield Member(file.name, file.read_bytes())


# --- tar --------------------------------------------------------------------------------------------------


class _Limited:
    """A stream that ends with `Broken` when it gives too much: a bomb may be in what is no member."""

    def __init__(self, stream: Any) -> None:
        self.stream = stream
        self.total = 0

    def read(self, size: int = -1) -> bytes:
        chunk: bytes = self.stream.read(size)
        self.total += len(chunk)
        if self.total > LARGEST_TOTAL:
            raise Broken(f"more than {LARGEST_TOTAL >> 30} GiB unpacked, a bomb")
        return chunk


class _Header(tarfile.TarInfo):
    """A header, except that a broken one is an error wherever it stands, and a vast one too."""

    @classmethod
    def fromtarfile(cls, tar: tarfile.TarFile) -> _Header:
        try:
            return super().fromtarfile(tar)
        except tarfile.EOFHeaderError:  # type: ignore[attr-defined]
            raise
        except tarfile.HeaderError as error:
            raise Broken(f"it ends in the middle, or is no tar ({error})") from error

    def _proc_member(self, tar: tarfile.TarFile) -> Any:
        if self.type in EXTENSIONS and self.size > LARGEST_HEADER:
            raise Broken(f"a header of {self.size:,} bytes, a bomb")
        return super()._proc_member(tar)  # type: ignore[misc]


def _of_tar(stream: Any) -> Iterator[Member | Refused]:
    try:
        with tarfile.open(fileobj=_Limited(stream), mode="r|", tarinfo=_Header) as tar:  # type: ignore[call-overload]
            for info in tar:
                if info.isdir():
                    continue
                why = _objection(info.name, _kind_in_tar(info), info.size)
                yield Refused(info.name, why) if why else Member(info.name, _content(tar, info))
    except (OSError, EOFError, ValueError, tarfile.TarError, zlib.error) as error:
        raise Broken(f"it ends in the middle, or is no tar ({error or 'truncated'})") from error


def _content(tar: tarfile.TarFile, info: tarfile.TarInfo) -> bytes:
    content = tar.extractfile(info).read()  # type: ignore[union-attr]
    if len(content) != info.size:
        raise Broken(f"{info.name!r} is truncated: {len(content)} of {info.size} bytes")
    return content


def _kind_in_tar(info: tarfile.TarInfo) -> str:
    if info.issym() or info.islnk():
        return "a link"
    return "" if info.isreg() and not info.issparse() else "a device or sparse file"


# --- zip --------------------------------------------------------------------------------------------------


def _of_zip(file: Path) -> Iterator[Member | Refused]:
    try:
        archive = zipfile.ZipFile(file)
    except (OSError, ValueError, zipfile.BadZipFile) as error:
        raise Broken(f"no zip that can be read ({error}); its list of files stands at its end") from error

    with archive:
        for info in archive.infolist():
            if info.is_dir():
                continue
            why = _objection(info.filename, _kind_in_zip(info), info.file_size)
            yield Refused(info.filename, why) if why else _unzipped(archive, info)


def _unzipped(archive: zipfile.ZipFile, info: zipfile.ZipInfo) -> Member | Refused:
    """The checksum is compared at the end of reading; reading stops where the size that was stated is."""
    try:
        with archive.open(info) as stream:
            content = io.BytesIO(stream.read(LARGEST_MEMBER + 1)).getvalue()
    except (OSError, EOFError, ValueError, RuntimeError, zipfile.BadZipFile, zlib.error) as error:
        return Refused(info.filename, f"truncated, damaged or encrypted ({error})")

    if len(content) != info.file_size:
        return Refused(info.filename, f"truncated: {len(content)} of {info.file_size} bytes")
    return Member(info.filename, content)


def _kind_in_zip(info: zipfile.ZipInfo) -> str:
    kind = stat.S_IFMT(info.external_attr >> 16)
    if kind == stat.S_IFLNK:
        return "a link"
    return "" if kind in (0, stat.S_IFREG) else "a device"


def _objection(name: str, kind: str, size: int) -> str:
    """Why a member is not read; empty when nothing speaks against it."""
    parts = PurePosixPath(name.replace("\\", "/")).parts

    if name.startswith(("/", "\\")) or ".." in parts or name[1:2] == ":":
        return "its name would leave the folder"
    if not name.isprintable():
        return "its name holds control characters"
    if kind:
        return f"it is {kind}"
    if size > LARGEST_MEMBER:
        return f"{size:,} bytes unpacked, a bomb (allowed: {LARGEST_MEMBER >> 20} MB)"
    return ""
