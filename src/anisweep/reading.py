"""Reading artifacts: believed only where every byte is right."""

from __future__ import annotations

import gzip
import hashlib
import json
import tarfile
import zlib
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from anisweep.artifact import MANIFEST
from anisweep.cell import FORMAT, Pack
from anisweep.row import Row

REQUIRED = ("pack.json", "rows.jsonl", "host.json", "environment.json")

#: No member and no artifact of ours comes near; a larger one is a bomb.
LARGEST_MEMBER = 512 * 2**20
LARGEST_TOTAL = 2 * 2**30


class DamagedArtifact(ValueError):
    """The file is not what the worker wrote."""


@dataclass(frozen=True)
class Contents:
    """An artifact that has been read to its last byte."""

    pack: Pack
    rows: list[Row]
    host: dict[str, Any]
    environment: dict[str, Any]


def read(artifact: Path) -> Contents:
    """Read and verify every byte.

    Raises
    ------
    DamagedArtifact
        naming the member and what is wrong with it
    """
    members = _read_members(artifact)

    try:
        pack = Pack.from_json(members["pack.json"].decode())
        rows = [Row.from_plain(json.loads(line)) for line in members["rows.jsonl"].splitlines()]
        host = json.loads(members["host.json"])
        environment = json.loads(members["environment.json"])
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise DamagedArtifact(f"{artifact.name}: cannot be understood ({error})") from error

    return Contents(pack, rows, host, environment)


def read_member(artifact: Path, name: str) -> bytes:
    """One member of a sound artifact."""
    members = _read_members(artifact)

    if name not in members:
        raise KeyError(f"{artifact.name} holds no {name}. It holds: {', '.join(sorted(members))}.")
    return members[name]


def read_folder(artifact: Path, prefix: str) -> dict[str, bytes]:
    """The members of a sound artifact whose names begin with ``prefix``, by what follows it."""
    members = _read_members(artifact)
    return {name.removeprefix(prefix): members[name] for name in sorted(members) if name.startswith(prefix)}


def _read_members(artifact: Path) -> dict[str, bytes]:
    members: dict[str, bytes] = {}

    try:
        _check_stream(artifact)
        with tarfile.open(artifact, "r:gz") as tar:
            for info in tar:
                _check_member(artifact.name, info, members)
                members[info.name] = tar.extractfile(info).read()  # type: ignore[union-attr]
    except (FileNotFoundError, PermissionError, DamagedArtifact):
        raise
    except (OSError, EOFError, ValueError, tarfile.TarError, zlib.error) as error:
        raise DamagedArtifact(f"{artifact.name}: {error or 'truncated'}") from error

    _compare_with_manifest(artifact.name, members)
    return members


def _check_stream(artifact: Path) -> None:
    """The checksum of gzip stands behind the last member, where tarfile does not look; nor does it see a
    bomb in what is no member."""
    total = 0

    with gzip.open(artifact) as stream:
        while chunk := stream.read(2**20):
            total += len(chunk)
            if total > LARGEST_TOTAL:
                raise DamagedArtifact(f"{artifact.name}: more than {LARGEST_TOTAL} bytes unpacked, a bomb")


def _check_member(name: str, info: tarfile.TarInfo, before: Collection[str]) -> None:
    """Nothing is extracted; but links, devices and names that leave the folder come from no worker."""
    parts = PurePosixPath(info.name).parts

    if not info.isfile() or info.size > LARGEST_MEMBER:
        raise DamagedArtifact(f"{name}: {info.name!r} is no plain file of a sensible size")
    if ".." in parts or info.name.startswith("/"):
        raise DamagedArtifact(f"{name}: {info.name!r} would leave the folder")
    if info.name in before:
        raise DamagedArtifact(f"{name}: {info.name!r} stands in it twice")


def _compare_with_manifest(name: str, members: dict[str, bytes]) -> None:
    if MANIFEST not in members:
        raise DamagedArtifact(f"{name}: holds no {MANIFEST}")

    try:
        manifest = json.loads(members.pop(MANIFEST))
        written = manifest["format"]
        expected = dict(manifest["members"])
    except (ValueError, KeyError, TypeError) as error:
        raise DamagedArtifact(f"{name}: {MANIFEST} cannot be understood ({error!r})") from error

    if written != FORMAT:
        raise DamagedArtifact(f"{name}: format {written}; this version reads {FORMAT}")

    for member in {*expected, *members, *REQUIRED}:
        if member not in members or member not in expected:
            raise DamagedArtifact(f"{name}: {member} is missing, or not in its manifest")
        if hashlib.sha256(members[member]).hexdigest() != expected[member]:
            raise DamagedArtifact(f"{name}: {member} does not have the bytes that were written")
