"""Time plan, tables and report of a study whose packs have 100 cells each: of 10,000 and of 100,000 cells."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import psutil

from anisweep.artifacts import writing
from anisweep.cell import Cell, Pack
from anisweep.cluster.arrivals import accept
from anisweep.config.project import Project
from anisweep.row import Role, Row
from anisweep.worker.rows import row_of
from benchmarks import _record
from benchmarks.planning import HOST, SPECIES, plan_of, project_in, write_artifact

#: A hundred cells for each replicate, and each replicate is a pack.
SWEEP: dict[str, Any] = {
    "study": "tiny",
    "modes": ["numpy_only", "fused_cpu", "fused_torch", "torch_batched"],
    "datasets": {name: {"frames": 1} for name in ("ellipsoids", *SPECIES)},
    "hypers": {"max_angular": [1, 2, 3, 4, 5], "cutoff_radius": 4.0},
    "target_minutes": 10_000,
    "max_minutes": 10_000,
}

STAGES = ("neighbours", "moments", "contraction", "pair_loop", "orthonormalise", "sum_neighbours", "setup")


@dataclass(frozen=True)
class Step:
    """What one command took: its wall time, and the memory of its largest process."""

    cells: int
    what: str
    seconds: float
    peak_mb: float


def run(smoke: bool) -> None:
    """Print the figures; with ``smoke`` those of 100 cells and their tables alone."""
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, range(os.cpu_count() or 1))  # Snakemake and its commands, on all cores

    taken = list(steps_to_tables(2)) if smoke else [each for packs in (100, 1000) for each in steps(packs)]
    _record.keep("scale", taken, smoke)


def steps(packs: int) -> Iterator[Step]:
    """Run the commands of a study in turn, the last replicate of which is measured late."""
    with tempfile.TemporaryDirectory() as folder:
        project = project_in(Path(folder))
        *most, last = planned(project, packs)
        yield from to_tables(project, most)
        yield step(project, "report", packs - 1, "snakemake", "report")

        measured(project, last)
        yield step(project, "one more replicate", packs, "snakemake", "report")
        yield step(project, "nothing to do", packs, "snakemake", "report")


def steps_to_tables(packs: int) -> Iterator[Step]:
    """Run the first commands of a study alone."""
    with tempfile.TemporaryDirectory() as folder:
        project = project_in(Path(folder))
        yield from to_tables(project, planned(project, packs)[:-1])


def to_tables(project: Project, packs: Sequence[Pack]) -> Iterator[Step]:
    """Plan, and make tables, of packs that have been measured."""
    for pack in packs:
        measured(project, pack)

    yield step(project, "plan", len(packs), "anisweep", "plan")
    shutil.rmtree(project.state / "index")
    yield step(project, "plan, the index lost", len(packs), "anisweep", "plan")
    yield step(project, "tables", len(packs), "snakemake", "tables")


def planned(project: Project, replicates: int) -> Sequence[Pack]:
    """Return one pack a replicate."""
    return plan_of(project, replicates, SWEEP).packs


def step(project: Project, what: str, replicates: int, command: str, target: str) -> Step:
    """Run a command, and print what it took."""
    settings = [f"{key}={json.dumps(value)}" for key, value in {**SWEEP, "replicates": replicates}.items()]
    program = str(Path(sys.executable).parent / command)
    quietly = ["--profile", "profiles/local", "--quiet", "all", "--config"]
    with_settings = {
        "anisweep": [program, target, *settings],
        "snakemake": [program, *quietly, *settings, "--", target],
    }
    environment = {**os.environ, "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"}

    started = time.perf_counter()
    process = subprocess.Popen(
        with_settings[command],
        cwd=project.root,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    peak = PeakMemory(process.pid)
    said, _ = process.communicate()
    taken = Step(100 * replicates, what, time.perf_counter() - started, peak.stop())

    if process.returncode:
        raise RuntimeError(f"{' '.join(with_settings[command])}: it failed.\n{said}")
    print(f"  {taken.cells:,} cells, {what}: {taken.seconds:.1f} s, {taken.peak_mb:.0f} MB", flush=True)
    return taken


class PeakMemory:
    """Watch the resident memory of a process and of its children, the largest of them alone."""

    def __init__(self, pid: int) -> None:
        self.peak = 0
        self.ended = threading.Event()
        self.thread = threading.Thread(target=self._watch, args=[psutil.Process(pid)])
        self.thread.start()

    def stop(self) -> float:
        """Return the peak in MB."""
        self.ended.set()
        self.thread.join()
        return self.peak / 2**20

    def _watch(self, process: psutil.Process) -> None:
        while not self.ended.wait(0.05):
            with suppress(psutil.Error):
                family = [process, *process.children(recursive=True)]
                self.peak = max(self.peak, *(member.memory_info().rss for member in family))


def measured(project: Project, pack: Pack) -> None:
    """Let the artifact of a pack arrive, with times by a formula and a seeded generator."""
    rng = np.random.default_rng(pack.cells[0].replicate)
    rows = [measured_row(pack, "cell", cell, rng) for cell in pack.cells]

    for cell in pack.cells:
        if cell.mode == "numpy_only":
            rows.append(measured_row(pack, "first reference", cell, rng))
            rows.append(measured_row(pack, "last reference", cell, rng))

    file = project.artifacts / f"{pack.name}{writing.SUFFIX}"
    elsewhere = Project(project.root / "execute_point")
    write_artifact(elsewhere, pack, rows)
    accept(elsewhere.artifacts / file.name, file)


def measured_row(pack: Pack, role: Role, cell: Cell, rng: np.random.Generator) -> Row:
    """Return a row that is ok, with what a worker writes into every one."""
    row = row_of(pack, role, cell)
    wall = (
        1e-3 * (1 + SWEEP["modes"].index(cell.mode)) * cell.hypers.max_angular * float(rng.lognormal(0, 0.02))
    )

    row.status, row.wall_s, row.traced_wall_s = "ok", wall, 1.01 * wall
    row.walls_s = [wall * factor for factor in (0.99, 1.0, 1.01)]
    row.particles, row.species, row.pairs, row.features = 24, 1, 1745, 44
    row.stages_s = {stage: wall / len(STAGES) for stage in STAGES}
    row.counts = {"contraction": 7}
    row.conv_in_s = row.conv_out_s = 0.01 * wall
    row.cpu_s, row.cpu_utilisation, row.seconds = wall, 1.0, 8 * wall
    row.peak_memory_mb, row.resident_mb = 12.0, 700.0
    row.max_relative_error, row.bound, row.elementwise = 1e-15, 1e-10, True
    row.dtype, row.pools = "float64", {"openblas": 1, "torch": 1}
    row.host, row.cpu_model = HOST["host"], HOST["cpu_model"]
    row.mode_executed = f"anisweep.modes.{cell.mode}"
    return row
