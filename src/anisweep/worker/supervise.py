"""Run a pack: start its interpreters in turn, enforce time limits, and always write the artifact."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from anisweep import modes
from anisweep.artifacts import writing
from anisweep.cell import Pack
from anisweep.formatting import counted
from anisweep.row import Row, Status
from anisweep.worker import host
from anisweep.worker.controller import ControllerGone, controller_of_this, has_ended
from anisweep.worker.rows import append_row, row_of, rows_in
from anisweep.worker.threads import environment_for

POLL_S = 0.1

#: Within so long HTCondor holds a job of which the system has killed a process for its memory.
HOLD_S = 15.0

#: Written by each interpreter at its end.
ACCELERATORS = "accelerators.json"

#: The module that compiles kernels; named and not imported, for not every mode is measured through it.
KERNELS = "anisweep.descriptors.kernels.loader"

#: A run without a terminal prints its progress this often.
PROGRESS_S = 20.0


@dataclass(frozen=True)
class PackOutcome:
    """Say what became of a pack."""

    name: str
    statuses: Counter[Status]
    seconds: float


def run_pack(pack: Pack, target: Path) -> PackOutcome:
    """Measure a pack and write its artifact.

    Every cell gives a row, also one that crashes the interpreter or never ends.

    Raises
    ------
    OSError
        when the artifact cannot be written: the infrastructure's failure, which the caller retries
    ControllerGone
        when the process named in ANISWEEP_CONTROLLER has ended
    """
    started = time.monotonic()

    with _working_folder(target) as folder:
        (folder / "pack.json").write_text(pack.to_json())
        (folder / "host.json").write_text(json.dumps(host.facts(), indent=1))
        compiled_s = _compile_kernels(pack, folder)

        for number in range(max(cell.settings.processes for cell in pack.cells)):
            ended = [_run_process(pack, folder, number, each, started) for each in _environments(pack)]
            _write_missing_rows(pack, folder, "; ".join(filter(None, ended)))

        _write_environment(pack, folder, compiled_s)
        rows = rows_in(folder)
        for scratch in [folder / "current.json", folder / ACCELERATORS, *folder.glob("reference-*.npz")]:
            scratch.unlink(missing_ok=True)
        writing.write(folder, target)

    statuses = Counter(row.status for row in rows if row.role == "cell")
    return PackOutcome(pack.name, statuses, time.monotonic() - started)


def _compile_kernels(pack: Pack, folder: Path) -> float:
    """Compile the project's own kernels before any clock runs, and return the seconds it took.

    They are there already unless an image is older than they are. Where they cannot be compiled, the mode
    that needs them says so in its rows.
    """
    if not any(KERNELS in files for files in pack.code_files.values()):
        return 0.0

    started = time.monotonic()
    code = f"from {KERNELS} import compile_kernels; compile_kernels()"
    with (folder / "logs" / "kernels.log").open("ab") as log:
        subprocess.run([sys.executable, "-c", code], stdout=log, stderr=log, check=False)
    return time.monotonic() - started


def _environments(pack: Pack) -> list[dict[str, str]]:
    """Return the environments of the modes, first the empty one, which measures the reference."""
    found: list[dict[str, str]] = [{}]

    for cell in pack.cells:
        environment = modes.environment(cell.mode)
        if environment not in found:
            found.append(environment)
    return found


def _run_process(pack: Pack, folder: Path, number: int, environment: dict[str, str], started: float) -> str:
    """Run one process of the pack, with a new interpreter wherever one ends before its time.

    Returns why it could not go on; empty when everything has a row.
    """
    while True:
        before = len(rows_in(folder))
        ended = _watch(pack, folder, number, environment, started)
        if not ended:
            return ""

        _write_row_of_the_dead(folder, ended)
        if len(rows_in(folder)) == before:
            return f"{ended} before its first cell; {_last_line(folder, number)}"


def _write_missing_rows(pack: Pack, folder: Path, ended: str) -> None:
    """Write a failed row for each cell that no interpreter came to."""
    present = {row.key for row in rows_in(folder)}

    for cell in pack.cells:
        if cell.key not in present:
            row = row_of(pack, "cell", cell)
            row.reason = f"pack failed permanently: {ended}"
            append_row(folder, row)


def _write_environment(pack: Pack, folder: Path, compiled_s: float) -> None:
    """Write digest, versions, the time of compiling, and what the interpreters learned of GPUs."""
    file = folder / ACCELERATORS
    environment = {
        "digest": pack.cells[0].environment,
        "versions": host.versions(),
        "kernels_compiled_s": round(compiled_s, 2),
        "accelerators": json.loads(file.read_text()) if file.exists() else {},
    }
    (folder / "environment.json").write_text(json.dumps(environment, indent=1))


def _last_line(folder: Path, number: int) -> str:
    lines = (folder / "logs" / f"process-{number}.log").read_text(errors="replace").splitlines()
    return lines[-1] if lines else "it said nothing"


def _watch(pack: Pack, folder: Path, number: int, environment: dict[str, str], started: float) -> str:
    """Wait for an interpreter, and return why it ended early; empty when it did not."""
    command = [
        sys.executable,
        "-m",
        "anisweep.worker.process",
        str(folder / "pack.json"),
        str(folder),
        str(number),
        json.dumps(environment),
    ]
    controller = controller_of_this()
    progress = _Progress(pack, folder, started)
    (folder / "current.json").unlink(missing_ok=True)

    with (
        (folder / "logs" / f"process-{number}.log").open("ab") as log,
        subprocess.Popen(
            command,
            env=environment_for(pack.cells[0].threads) | environment,
            stdin=subprocess.PIPE,
            stdout=log,
            stderr=log,
        ) as child,
    ):
        try:
            while child.poll() is None:
                time.sleep(POLL_S)
                progress.show()

                if controller is not None and has_ended(controller):
                    raise ControllerGone(f"{pack.name}: the run that started it has ended")

                limit = _overdue(folder)
                if limit is not None:
                    return f"stalled: no result within {limit:g} s"
        finally:
            child.kill()

    if child.returncode == -signal.SIGKILL and "_CONDOR_MACHINE_AD" in os.environ:
        time.sleep(HOLD_S)  # a held job is tried again with more memory; one that ended has a failed row

    return "" if child.returncode == 0 else f"the interpreter ended with status {child.returncode}"


def _overdue(folder: Path) -> float | None:
    """Return the time limit of the current cell if it is over; else ``None``."""
    with suppress(OSError, ValueError):
        file = folder / "current.json"
        limit = float(json.loads(file.read_text())["limit_s"])
        if time.time() - file.stat().st_mtime > limit:
            return limit
    return None


def _write_row_of_the_dead(folder: Path, ended: str) -> None:
    """Write the row of the cell that was being measured when its interpreter ended."""
    file = folder / "current.json"
    if not file.exists():
        return

    row = Row.from_plain(json.loads(file.read_text())["row"])
    if any(_same(row, written) for written in rows_in(folder)):
        return  # it was done; the interpreter broke on its way out

    row.status = "stalled" if ended.startswith("stalled") else "failed"
    row.reason = ended.removeprefix("stalled: ")
    append_row(folder, row)


def _same(row: Row, other: Row) -> bool:
    """Return True if two rows are of the same cell or reference in the same process."""
    names = ("process", "role", "key", "dataset", "frames", "hypers", "output")
    return all(getattr(row, name) == getattr(other, name) for name in names)


@contextmanager
def _working_folder(target: Path) -> Iterator[Path]:
    """Make a folder beside the artifact and remove it in the end.

    The next run removes the folder of a killed one.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    folder = Path(tempfile.mkdtemp(prefix=f".{target.name}.work-", dir=target.parent))
    for name in ("logs", "descriptors"):
        (folder / name).mkdir()

    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


class _Progress:
    """Show cells done and time left: a changing line on a terminal, a line now and then elsewhere."""

    def __init__(self, pack: Pack, folder: Path, started: float) -> None:
        self.pack = pack
        self.folder = folder
        self.started = started
        self.said = time.monotonic()
        self.terminal = sys.stderr.isatty()

    def _left_s(self, elapsed_s: float, share: float) -> float:
        """Return the seconds left, by the estimate at first, then by what has been done."""
        if share < 0.1:
            return max(self.pack.estimated_s - elapsed_s, elapsed_s)
        return elapsed_s * (1 - share) / share

    def show(self) -> None:
        """Print the progress, unless it was printed a moment ago."""
        now = time.monotonic()
        if now - self.said < (1.0 if self.terminal else PROGRESS_S):
            return

        self.said = now
        rows = rows_in(self.folder)
        done = sum(row.role == "cell" for row in rows)
        processes = max(cell.settings.processes for cell in self.pack.cells)
        total = len(self.pack.cells) * processes
        left = self._left_s(now - self.started, len(rows) / (processes * self.pack.measurements))
        text = f"  {self.pack.name}: {done} of {counted(total, 'cell')}, about {left:.0f} s left"
        print(
            f"\r{text}\033[K" if self.terminal else text, file=sys.stderr, end="" if self.terminal else "\n"
        )
        sys.stderr.flush()
