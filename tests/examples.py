"""Small cells, packs and artifacts, complete and without a measurement."""

from __future__ import annotations

import hashlib
import io
import json
import os
import tarfile
from dataclasses import replace
from pathlib import Path
from typing import Any

from anisweep.artifacts import writing
from anisweep.cell import Cell, Dataset, Hypers, Pack, Settings
from anisweep.row import Row
from anisweep.worker.rows import row_of

HOST = {"host": "bench-01", "cpu_model": "a processor", "microarchitecture": "x86_64-v3"}

CELL = Cell(
    dataset=Dataset("ellipsoids", "data/ellipsoids-0123.xyz", "0123", 2),
    hypers=Hypers(max_angular=2),
    output="coefficients",
    mode="numpy_only",
    precision="fp64",
    device="cpu",
    threads=1,
    replicate=1,
    site="local",
    settings=Settings(),
    environment="the lock",
    code="the code",
)


def frame_as_text(number: int) -> str:
    """Two oriented particles in vacuum, somewhere else in each frame, as extended XYZ."""
    away = 2 + number % 1000 / 500
    header = 'Properties=species:S:1:pos:R:3:c_q:R:4 pbc="F F F"'
    return f"2\n{header}\nX 0 0 0 1 0 0 0\nX {away} 0 {number % 7} 0.6 0.8 0 0\n"


def cell(**changes: Any) -> Cell:
    """The example with other values."""
    return replace(CELL, **changes)


def pack(*cells: Cell, name: str = "ellipsoids-r1-0123456789ab", **changes: Any) -> Pack:
    """A pack of these cells, or of the example alone."""
    return Pack(name=name, cells=cells or (CELL,), reference="numpy_only", estimated_s=1.0, **changes)


def rows(of: Pack, status: str = "ok", started: str = "2026-01-01T00:00:00+00:00") -> list[Row]:
    """A row for each cell."""
    return [replace(row_of(of, "cell", each), status=status, started=started) for each in of.cells]


def fill(folder: Path, of: Pack, status: str = "ok", started: str = "2026-01-01T00:00:00+00:00") -> Path:
    """The working folder of a pack that has been measured."""
    (folder / "logs").mkdir(parents=True)
    (folder / "logs" / "process-0.log").write_text("nothing to say\n")
    (folder / "pack.json").write_text(of.to_json())
    (folder / "host.json").write_text(json.dumps(HOST))
    (folder / "environment.json").write_text(json.dumps({"digest": "the lock", "versions": {}}))
    lines = [json.dumps(row.to_plain()) + "\n" for row in rows(of, status, started)]
    (folder / "rows.jsonl").write_text("".join(lines))
    return folder


def write_artifact(artifacts: Path, of: Pack, **options: str) -> Path:
    """The artifact of a pack, in a folder of artifacts; its job is closed."""
    target = artifacts / f"{of.name}{writing.SUFFIX}"
    work = artifacts.parent / "work" / of.name / str(len(list(artifacts.glob("*"))))
    writing.write(fill(work, of, **options), target)
    writing.kept_link(target).unlink()
    return target


def rewrite(target: Path, members: dict[str, bytes]) -> None:
    """Another artifact in its place, with these members and no manifest of ours."""
    target.unlink()

    with tarfile.open(target, "w:gz") as tar:
        for name, content in members.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            tar.addfile(info, io.BytesIO(content))


def consistent(members: dict[str, bytes], name: str, content: bytes) -> dict[str, bytes]:
    """These members with another content of one of them, and the manifest to match."""
    manifest = json.loads(members["manifest.json"])
    manifest["members"][name] = hashlib.sha256(content).hexdigest()
    return {**members, name: content, "manifest.json": json.dumps(manifest).encode()}


def members_of(target: Path) -> dict[str, bytes]:
    """What a tar holds, unchecked."""
    with tarfile.open(target) as tar:
        return {info.name: tar.extractfile(info).read() for info in tar}


def overwrite(target: Path, content: bytes) -> None:
    """Other bytes in the same file, as a bad disk gives them, with a new time stamp."""
    target.write_bytes(content)
    stamp = target.stat().st_mtime_ns + 10**9
    os.utime(target, ns=(stamp, stamp))
