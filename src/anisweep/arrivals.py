"""What comes home from a cluster: taken where it is sound, and written down where nothing will come."""

from __future__ import annotations

import json
import os
import tempfile
from pathlib import Path

from anisweep import artifact, reading
from anisweep.artifact import SUFFIX
from anisweep.cell import Pack
from anisweep.config import Project
from anisweep.worker.rows import append_row, row_of

#: What is known of a machine on which nothing ran.
NOWHERE = {
    "host": "",
    "cpu_model": "",
    "microarchitecture": "",
    "cpus": 0,
    "memory_mb": 0,
    "system": "",
    "slot": {},
}


def accept(arrived: Path, output: Path) -> None:
    """Make an arrived file an artifact, after reading every byte of it.

    Raises
    ------
    ValueError
        when it is not sound, or not the pack that was planned under this name
    """
    contents = reading.read(arrived)
    name = output.name.removesuffix(SUFFIX)
    planned = output.parents[1] / "packs" / f"{name}.json"

    if contents.pack.name != name:
        raise ValueError(f"{arrived.name}: holds the pack {contents.pack.name}, not {name}")
    if planned.exists() and contents.pack.cells != Pack.from_json(planned.read_text()).cells:
        raise ValueError(f"{arrived.name}: holds other cells than were planned")

    descriptor = os.open(arrived, os.O_RDONLY)
    os.fsync(descriptor)
    os.close(descriptor)

    if not output.exists():
        artifact.put(arrived, output)
    arrived.unlink()


def give_up(output: Path, reason: str) -> None:
    """The artifact of a pack that no retry helps: each of its cells failed, and why.

    `retry=True` asks for such cells again.
    """
    name = output.name.removesuffix(SUFFIX)
    pack = Pack.from_json((output.parents[1] / "packs" / f"{name}.json").read_text())
    output.parent.mkdir(parents=True, exist_ok=True)

    with tempfile.TemporaryDirectory(prefix=f".{output.name}.work-", dir=output.parent) as scratch:
        folder = Path(scratch)
        for cell in pack.cells:
            row = row_of(pack, "cell", cell)
            row.reason = f"pack given up: {reason}"
            append_row(folder, row)

        environment = {"digest": pack.cells[0].environment, "versions": {"python": ""}, "accelerators": {}}
        (folder / "pack.json").write_text(pack.to_json())
        (folder / "host.json").write_text(json.dumps(NOWHERE, indent=1))
        (folder / "environment.json").write_text(json.dumps(environment, indent=1))
        artifact.write(folder, output)


def batches(project: Project) -> Path:
    """Where the submissions of this project lie."""
    return project.results / "batches"
