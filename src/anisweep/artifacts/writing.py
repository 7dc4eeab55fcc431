"""Write artifacts, the archives that packs return; each is written once and never changed.

An artifact is a gzipped tar (docs/reference/artifact.md)::

    manifest.json      format, and the SHA-256 of each other member
    pack.json          the pack as it was planned
    rows.jsonl         one `Row` a line
    host.json          the machine
    environment.json   versions and digests
    descriptors.npz    the first frames' descriptors of each cell, by key
    logs/  profiles/   what was asked for or went wrong
"""

from __future__ import annotations

import gzip
import io
import json
import os
import tarfile
from pathlib import Path

from anisweep.cell import FORMAT
from anisweep.files import durable, sha256_of, sync

SUFFIX = ".tar.gz"
MANIFEST = "manifest.json"


def write(folder: Path, artifact: Path) -> None:
    """Pack ``folder`` into ``artifact``, which appears whole or not at all.

    The bytes go to a temporary name beside it and reach the disk before the name changes. A second name
    (a hard link, see `kept_link`) outlives whoever removes the first one before the job is closed.

    Raises
    ------
    FileExistsError
        An artifact is never overwritten.
    """
    if os.path.lexists(artifact):
        raise FileExistsError(f"{artifact} exists, and an artifact is never overwritten: plan again")

    files = sorted(path for path in folder.rglob("*") if path.is_file())
    names = {path.relative_to(folder).as_posix(): path for path in files}
    manifest = {"format": FORMAT, "members": {name: sha256_of(path) for name, path in names.items()}}

    artifact.parent.mkdir(parents=True, exist_ok=True)
    temporary = artifact.with_name(f".{artifact.name}.{os.getpid()}")
    temporary.unlink(missing_ok=True)  # in containers a killed run had the same number

    try:
        with durable(temporary) as raw, gzip.GzipFile(fileobj=raw, mode="wb", filename="", mtime=0) as zipped:
            with tarfile.open(fileobj=zipped, mode="w", format=tarfile.PAX_FORMAT) as tar:
                _add(tar, MANIFEST, json.dumps(manifest, indent=1).encode())
                for name, path in names.items():
                    _add(tar, name, path.read_bytes())

        put(temporary, artifact)
    except OSError as error:
        error.filename = error.filename or str(artifact)  # a full disk does not say where it is
        raise
    finally:
        temporary.unlink(missing_ok=True)


def put(whole: Path, artifact: Path) -> None:
    """Give a file that is whole and on the disk an artifact's name, and the kept one.

    Raises
    ------
    FileExistsError
        An artifact is never overwritten.
    """
    link = kept_link(artifact)
    link.parent.mkdir(parents=True, exist_ok=True)
    link.unlink(missing_ok=True)
    os.link(whole, link)
    os.link(whole, artifact)  # unlike a rename, this never replaces what another one put there
    sync(artifact.parent)


def kept_link(artifact: Path) -> Path:
    """Return the second name of an artifact, which it has while its job is open."""
    return artifact.parent / ".kept" / artifact.name


def _add(tar: tarfile.TarFile, name: str, content: bytes) -> None:
    info = tarfile.TarInfo(name)
    info.size = len(content)
    info.mode = 0o644
    tar.addfile(info, io.BytesIO(content))
