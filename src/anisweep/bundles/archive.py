"""Read the members of archives from elsewhere one by one, in memory; nothing is extracted by its own name."""

from __future__ import annotations

import gzip
import lzma
import mmap
import stat
import struct
import tarfile
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import IO, Any

from anisweep.files import open_plain

LARGEST_MEMBER = 128 * 2**20
LARGEST_TOTAL = 2**30
MOST_MEMBERS = 20_000

#: What the libraries raise where the bytes of an archive are wrong.
UNREADABLE = (
    *(OSError, EOFError, ValueError, RuntimeError, OverflowError, IndexError, KeyError, AttributeError),
    *(struct.error, tarfile.TarError, zipfile.BadZipFile, zlib.error, lzma.LZMAError),
)

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
    """Hold a plain file of an archive."""

    name: str
    content: bytes


@dataclass(frozen=True)
class Refused:
    """Say what was not taken, and why."""

    name: str
    why: str


class Broken(Exception):
    """Raised when the archive cannot be read any further."""


def members(file: Path) -> Iterator[Member | Refused]:
    """Yield every file in a tar (gzipped or not) or zip archive, or the file itself when it is neither.

    What is hostile or broken is refused by itself, and the rest goes on as far as it can be read: names
    that leave the folder, links, devices, members that are too large, truncated or standing there twice.
    """
    seen: set[str] = set()
    total = count = 0

    try:
        for found in _members(file):
            count += 1
            if isinstance(found, Member):
                total += len(found.content)
                if found.name in seen:
                    found = Refused(found.name, "it stands in the archive twice; the first one was taken")
                seen.add(found.name)

            if total > LARGEST_TOTAL or count > MOST_MEMBERS:
                raise Broken(f"more than {LARGEST_TOTAL >> 30} GiB or {MOST_MEMBERS} files unpacked, a bomb")
            yield found
    except Broken as broken:
        yield Refused(file.name, f"{broken}; what follows is not read")


def _members(file: Path) -> Iterator[Member | Refused]:
    with open_plain(file) as raw:
        start = raw.read(512)
        raw.seek(0)

        if start.startswith(b"PK"):
            yield from _of_zip(file.name, raw)
        elif start.startswith(b"\x1f\x8b"):
            with gzip.open(raw) as stream:
                yield from _of_tar(stream)
        elif start[257:262] == b"ustar":
            yield from _of_tar(raw)
        else:
            content = raw.read(LARGEST_MEMBER + 1)
            too_large = Refused(file.name, f"larger than {LARGEST_MEMBER >> 20} MB")
            yield Member(file.name, content) if len(content) <= LARGEST_MEMBER else too_large


# --- tar --------------------------------------------------------------------------------------------------


class _Limited:
    """Limit a stream, which ends with `Broken` when it gives too much.

    A bomb may be in what is no member.
    """

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
    """Read a header, of which a broken or a vast one is an error wherever it stands."""

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
            for count, info in enumerate(tar):
                if count > MOST_MEMBERS:
                    raise Broken(f"more than {MOST_MEMBERS} entries, a bomb")
                if info.isdir():
                    continue
                why = _objection(info.name, _kind_in_tar(info), info.size)
                yield Refused(info.name, why) if why else Member(info.name, _content(tar, info))
    except UNREADABLE as error:
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

#: What the header of each file begins with, and its layout.
LOCAL = b"PK\x03\x04"
HEADER = struct.Struct("<4s5H3L2H")


@dataclass(frozen=True)
class _Local:
    """Describe the header that stands before each file."""

    begins: bytes
    version: int
    flags: int
    method: int
    time: int
    date: int
    checksum: int
    packed: int
    size: int
    name_size: int
    extra_size: int


def _of_zip(name: str, raw: IO[bytes]) -> Iterator[Member | Refused]:
    try:
        archive = zipfile.ZipFile(raw)
        infos = [info for info in archive.infolist() if info.filename == "" or not info.is_dir()]
    except UNREADABLE as error:
        yield Refused(name, f"no zip that can be read ({error}); files are sought without its list")
        yield from _without_list(raw)
        return

    with archive:
        for info in infos:
            why = _objection(info.filename, _kind_in_zip(info), info.file_size)
            yield Refused(info.filename, why) if why else _unzipped(archive, info)


def _unzipped(archive: zipfile.ZipFile, info: zipfile.ZipInfo) -> Member | Refused:
    """Read one member of a zip.

    The checksum is compared at the end of reading; reading stops where the size that was stated is.
    """
    try:
        with archive.open(info) as stream:
            content = stream.read(LARGEST_MEMBER + 1)
    except UNREADABLE as error:
        return Refused(info.filename, f"truncated, damaged or encrypted ({error or type(error).__name__})")

    if len(content) != info.file_size:
        return Refused(info.filename, f"truncated: {len(content)} of {info.file_size} bytes")
    return Member(info.filename, content)


def _without_list(raw: IO[bytes]) -> Iterator[Member | Refused]:
    """Yield the files of a zip whose list at the end is cut or damaged: each has a header of its own."""
    with mmap.mmap(raw.fileno(), 0, access=mmap.ACCESS_READ) as whole:
        position = whole.find(LOCAL)
        while position >= 0:
            if position + HEADER.size > len(whole):
                break
            header = _Local(*HEADER.unpack_from(whole, position))
            start = position + HEADER.size + header.name_size + header.extra_size
            end = start + header.packed
            name = whole[position + HEADER.size : start - header.extra_size].decode("utf-8", "replace")

            if not name.endswith("/"):
                yield _unpacked(name, header, whole[start:end])
            position = whole.find(LOCAL, end if end <= len(whole) else position + 1)


def _unpacked(name: str, header: _Local, packed: bytes) -> Member | Refused:
    why = _objection(name, "", header.size)
    if why:
        return Refused(name, why)
    if header.version > zipfile.MAX_EXTRACT_VERSION or header.method not in (0, 8) or header.flags & 9:  # type: ignore[attr-defined]
        return Refused(name, "encrypted, of unknown size, or of another version of zip")

    try:
        unpack = zlib.decompressobj(-15).decompress
        content = unpack(packed, LARGEST_MEMBER) if header.method else packed
    except zlib.error as error:
        return Refused(name, f"damaged ({error})")

    if len(content) != header.size or zlib.crc32(content) != header.checksum:
        return Refused(name, "truncated or damaged")
    return Member(name, content)


def _kind_in_zip(info: zipfile.ZipInfo) -> str:
    kind = stat.S_IFMT(info.external_attr >> 16)
    if kind == stat.S_IFLNK:
        return "a link"
    return "" if kind in (0, stat.S_IFREG) else "a device"


def _objection(name: str, kind: str, size: int) -> str:
    """Say why a member is not read; empty when nothing speaks against it."""
    parts = PurePosixPath(name.replace("\\", "/")).parts

    if not parts:
        return "it has no name"
    if name.startswith(("/", "\\")) or ".." in parts or name[1:2] == ":":
        return "its name would leave the folder"
    if not name.isprintable():
        return "its name holds control characters"
    if kind:
        return f"it is {kind}"
    if size > LARGEST_MEMBER:
        return f"{size:,} bytes unpacked, a bomb (allowed: {LARGEST_MEMBER >> 20} MB)"
    return ""
