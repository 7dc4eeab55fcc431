"""Time planning for 10,000 cells in 1,000 packs, before and after they are measured."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from anisweep.artifacts import writing
from anisweep.artifacts.store import Store
from anisweep.cell import Pack
from anisweep.config.load import load_config
from anisweep.config.project import Project
from anisweep.plan import Plan, make_plan
from anisweep.row import Row
from anisweep.worker.rows import row_of

ROOT = Path(__file__).parents[1]

SPECIES = ("one_species", "two_species", "three_species", "four_species")

#: Ten cells for each replicate, and each replicate is a pack.
SWEEP: dict[str, Any] = {
    "study": "tiny",
    "modes": ["numpy_only", "torch_batched"],
    "datasets": {name: {"frames": 1} for name in ("ellipsoids", *SPECIES)},
}


#: Of the machine that artifacts seem to come from, and of what was installed there.
HOST: dict[str, Any] = {
    "host": "bench-01",
    "cpu_model": "AMD EPYC 7B13",
    "microarchitecture": "x86-64-v3",
    "cpus": 2,
}
INSTALLED = {"digest": "0" * 64, "versions": {"python": "3.11.2", "numpy": "2.4.0", "torch": "2.9.1"}}


def run(smoke: bool) -> None:
    """Print the figures; with ``smoke`` for 10 packs instead of 1,000."""
    packs = 10 if smoke else 1000

    with tempfile.TemporaryDirectory() as folder:
        project = project_in(Path(folder))

        with timed(f"plan {10 * packs} cells, all to be measured"):
            plan = plan_of(project, packs)
        with timed(f"snakemake -n, {len(plan.packs)} packs to be measured (packs are written)"):
            dry_run(project, packs)

        *most, last = plan.packs
        for pack in most:
            write_artifact(project, pack, ok_rows(pack))
        with timed(f"read {len(most)} new artifacts"):
            entries = Store(project.artifacts, project.state).entries()
        if damage := next((entry.damage for entry in entries if not entry.sound), ""):
            raise RuntimeError(damage)

        write_artifact(project, last, ok_rows(last))
        store = Store(project.artifacts, project.state)
        with timed("read one more"):
            store.entries()
        print(f"  of {packs} artifacts, opened: {store.opened}")

        with timed(f"plan {10 * packs} cells, all measured"):
            plan_of(project, packs)
        with timed(f"snakemake -n, {packs} packs measured"):
            dry_run(project, packs)


def project_in(folder: Path) -> Project:
    """A project without results: what a plan and the Snakefile read of it."""
    for name in ("config", "workflow", "profiles"):
        shutil.copytree(ROOT / name, folder / name)

    (folder / "envs").mkdir()
    shutil.copy(ROOT / "envs" / "worker.txt", folder / "envs")
    shutil.copy(ROOT / "Snakefile", folder)
    return Project(folder)


def plan_of(project: Project, replicates: int, sweep: dict[str, Any] = SWEEP) -> Plan:
    return make_plan(project, *load_config(project, {**sweep, "replicates": replicates}))


def ok_rows(pack: Pack) -> list[Row]:
    """A row that says ``ok`` for each cell."""
    rows = [row_of(pack, "cell", cell) for cell in pack.cells]
    for row in rows:
        row.status = "ok"
    return rows


def write_artifact(project: Project, pack: Pack, rows: list[Row]) -> None:
    """An artifact as a worker would write it."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "pack.json").write_text(pack.to_json())
        (folder / "rows.jsonl").write_text("\n".join(json.dumps(row.to_plain()) for row in rows))
        (folder / "host.json").write_text(json.dumps(HOST))
        (folder / "environment.json").write_text(json.dumps(INSTALLED))
        writing.write(folder, project.artifacts / f"{pack.name}{writing.SUFFIX}")


def dry_run(project: Project, replicates: int) -> None:
    """`snakemake -n` in a process of its own."""
    overrides = [f"{key}={json.dumps(value)}" for key, value in SWEEP.items() if key != "study"]
    command = ["snakemake", "-n", "--quiet", "all", "--config", "study=tiny", *overrides]
    environment = {**os.environ, "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"}

    subprocess.run(
        [*command, f"replicates={replicates}", "--", "measure"],
        cwd=project.root,
        env=environment,
        check=True,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )


@contextmanager
def timed(what: str) -> Iterator[None]:
    started = time.perf_counter()
    yield
    print(f"  {what}: {time.perf_counter() - started:.2f} s", flush=True)
