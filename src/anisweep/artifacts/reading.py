"""Read artifacts, and refuse those in which a byte or a value is not as it was written."""

from __future__ import annotations

import gzip
import hashlib
import tarfile
import zlib
from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path, PurePosixPath
from typing import IO, Annotated, Any, ClassVar, TypeVar

from anisweep.artifacts.writing import MANIFEST
from anisweep.cell import FORMAT, Pack
from anisweep.files import NoPlainFile, open_plain
from anisweep.parsing.json_text import read_json
from anisweep.parsing.schema import Above, Word, build
from anisweep.row import Count, Row

REQUIRED = ("pack.json", "rows.jsonl", "host.json", "environment.json")

#: No member and no artifact of ours comes near; a larger one is a bomb.
LARGEST_MEMBER = 128 * 2**20
LARGEST_TOTAL = 512 * 2**20

#: What the row of a cell repeats of it.
REPEATED = ("output", "mode", "precision", "device", "threads", "replicate", "site", "environment", "code")

#: What reading an archive raises where its bytes are wrong.
UNREADABLE = (OSError, EOFError, ValueError, OverflowError, tarfile.TarError, zlib.error)

Built = TypeVar("Built")


class DamagedArtifact(ValueError):
    """Raised when a file is not what the worker wrote."""


@dataclass(frozen=True)
class Manifest:
    """State the format of an artifact, and the SHA-256 of each member by its name."""

    format: int
    members: dict[str, str]


@dataclass(frozen=True)
class Host:
    """Describe the machine that a pack ran on, as its worker saw it.

    What an older worker did not ask is missing.
    """

    NEEDED: ClassVar[frozenset[str]] = frozenset({"host", "cpu_model", "microarchitecture"})

    host: Word
    cpu_model: Word
    microarchitecture: Word
    cpu_family: Word = ""
    cpu_model_number: Word = ""
    architecture: Word = ""
    caches: dict[Word, Word] = field(default_factory=dict)
    cpus: Count | None = None
    affinity: tuple[Count, ...] = ()
    memory_mb: Count | None = None
    governor: Word = ""
    frequency_mhz: Annotated[float, Above(0, 1e9)] | None = None
    throttled: Count = 0
    system: Word = ""
    container: Word = ""
    slot: dict[Word, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Accelerators:
    """Record what torch knew of GPUs."""

    NEEDED: ClassVar[frozenset[str]] = frozenset()

    cuda_version: Word | None = None
    cudnn: Count | None = None
    devices: tuple[Word, ...] = ()


@dataclass(frozen=True)
class Installation:
    """Record what was installed where a pack ran: versions by name, and their digest."""

    NEEDED: ClassVar[frozenset[str]] = frozenset({"digest", "versions"})

    digest: Word
    versions: dict[Word, Word]
    kernels_compiled_s: float = 0.0
    accelerators: Accelerators = Accelerators()


@dataclass(frozen=True)
class Contents:
    """Hold what an artifact says: its values are of the right types and sizes, and belong together."""

    pack: Pack
    rows: list[Row]
    host: Host
    environment: Installation


def read(artifact: Path) -> Contents:
    """Read and verify every byte, and every value.

    Raises
    ------
    DamagedArtifact
        naming the member and what is wrong with it
    """
    members = _read_members(artifact)
    plain = {name: _parsed(artifact.name, name, members[name]) for name in REQUIRED}

    try:
        return contents_from_plain(*plain.values())
    except ValueError as error:
        raise DamagedArtifact(f"{artifact.name}: cannot be understood ({error})") from error


def contents_from_plain(pack: Any, rows: Any, host: Any, environment: Any) -> Contents:
    """Build `Contents` from plain values; the inverse of ``dataclasses.asdict``.

    Raises
    ------
    ValueError
        naming the member, the key, what came and what is allowed
    """
    contents = Contents(
        _of_member("pack.json", Pack.from_plain, pack),
        [_of_member(f"rows.jsonl: line {line}", Row.from_plain, row) for line, row in enumerate(rows, 1)],
        _of_member("host.json", partial(build, Host), host),
        _of_member("environment.json", partial(build, Installation), environment),
    )
    _check_together(contents)
    return contents


def _of_member(member: str, made: Callable[[Any], Built], plain: Any) -> Built:
    try:
        return made(plain)
    except ValueError as error:
        raise ValueError(f"{member}: {error}") from error


def _check_together(contents: Contents) -> None:
    """Check that each cell has a row, and that what a row repeats of its cell is the same there."""
    cells = {cell.key: cell for cell in contents.pack.cells}
    measured = [row for row in contents.rows if row.role == "cell"]

    for row in measured:
        if row.key not in cells:
            raise ValueError(f"rows.jsonl: a row of the cell {row.key[:12]!r}, which pack.json does not have")

        cell = cells[row.key]
        other = [name for name in REPEATED if getattr(row, name) != getattr(cell, name)]
        if other or row.point != cell.point:
            name = other[0] if other else "point"
            raise ValueError(f"rows.jsonl: {name} of the cell {row.key[:12]!r} differs from pack.json")

    if missing := cells.keys() - {row.key for row in measured}:
        raise ValueError(f"rows.jsonl: no row of the cell {min(missing)[:12]!r}")


def read_member(artifact: Path, name: str) -> bytes:
    """Return one member of a sound artifact."""
    members = _read_members(artifact)

    if name not in members:
        raise KeyError(f"{artifact.name} holds no {name}. It holds: {', '.join(sorted(members))}.")
    return members[name]


def read_folder(artifact: Path, prefix: str) -> dict[str, bytes]:
    """Return the members of a sound artifact whose names begin with ``prefix``, by what follows it."""
    members = _read_members(artifact)
    return {name.removeprefix(prefix): members[name] for name in sorted(members) if name.startswith(prefix)}


def _parsed(artifact: str, member: str, content: bytes) -> Any:
    """Return a member's plain values; those of rows line by line."""
    try:
        if member.endswith(".jsonl"):
            return [read_json(line) for line in content.splitlines()]
        return read_json(content)
    except ValueError as error:
        raise DamagedArtifact(f"{artifact}: {member} cannot be understood ({error})") from error


def _read_members(artifact: Path) -> dict[str, bytes]:
    members: dict[str, bytes] = {}

    try:
        with open_plain(artifact) as raw:
            _check_stream(artifact.name, raw)
            raw.seek(0)
            with tarfile.open(fileobj=raw, mode="r:gz") as tar:
                for info in tar:
                    _check_member(artifact.name, info, members)
                    members[info.name] = tar.extractfile(info).read()  # type: ignore[union-attr]
    except (FileNotFoundError, PermissionError, NoPlainFile, DamagedArtifact):
        raise
    except UNREADABLE as error:
        raise DamagedArtifact(f"{artifact.name}: {error or 'truncated'}") from error

    _compare_with_manifest(artifact.name, members)
    return members


def _check_stream(name: str, raw: IO[bytes]) -> None:
    """Read the whole stream, up to a limit.

    The checksum of gzip stands behind the last member, where tarfile does not look; nor does it see a
    bomb in what is no member.
    """
    total = 0

    with gzip.open(raw) as stream:
        while chunk := stream.read(2**20):
            total += len(chunk)
            if total > LARGEST_TOTAL:
                raise DamagedArtifact(f"{name}: more than {LARGEST_TOTAL} bytes unpacked, a bomb")


def _check_member(name: str, info: tarfile.TarInfo, before: Collection[str]) -> None:
    """Refuse links, devices and names that leave the folder.

    Nothing is extracted; but such members come from no worker.
    """
    parts = PurePosixPath(info.name).parts

    if not info.isfile() or info.issparse() or info.size > LARGEST_MEMBER:
        raise DamagedArtifact(f"{name}: {info.name!r} is no plain file of a sensible size")
    if ".." in parts or info.name.startswith("/"):
        raise DamagedArtifact(f"{name}: {info.name!r} would leave the folder")
    if info.name in before:
        raise DamagedArtifact(f"{name}: {info.name!r} stands in it twice")


def _compare_with_manifest(name: str, members: dict[str, bytes]) -> None:
    if MANIFEST not in members:
        raise DamagedArtifact(f"{name}: holds no {MANIFEST}")

    try:
        manifest = build(Manifest, read_json(members.pop(MANIFEST)))
    except ValueError as error:
        raise DamagedArtifact(f"{name}: {MANIFEST} cannot be understood ({error})") from error

    if manifest.format != FORMAT:
        raise DamagedArtifact(f"{name}: format {manifest.format}; this version reads {FORMAT}")

    expected = manifest.members
    for member in sorted({*expected, *members, *REQUIRED}):
        if member not in members or member not in expected:
            raise DamagedArtifact(f"{name}: {member} is missing, or not in its manifest")
        if hashlib.sha256(members[member]).hexdigest() != expected[member]:
            raise DamagedArtifact(f"{name}: {member} does not have the bytes that were written")
