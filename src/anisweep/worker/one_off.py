"""Time a one-off call: one computation in a fresh interpreter, from its start to its result.

`seconds` runs it as ``python -m anisweep.worker.one_off CELL``, with the cell as JSON. It imports what the
mode needs and nothing else, so no mode profits from what another one has loaded or compiled. Reading the
frames is part of it, as of any call.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
from dataclasses import asdict
from pathlib import Path

from anisweep import modes
from anisweep.cell import Cell
from anisweep.datasets.canonical_xyz import read as read_canonical
from anisweep.datasets.vacuum import with_vacuum
from anisweep.parsing.schema import build
from anisweep.worker import threads
from anisweep.worker.clock import Silent
from anisweep.worker.parent import die_with_it


def seconds(cell: Cell) -> float:
    """Return how many seconds a one-off call takes.

    Raises
    ------
    RuntimeError
        when it fails, with its last line
    """
    started = time.perf_counter()
    child = subprocess.Popen(
        [sys.executable, "-m", __name__, json.dumps(asdict(cell))],
        stdin=subprocess.PIPE,  # left open: when it closes, the interpreter ends
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )
    with child:
        assert child.stderr
        said = child.stderr.read()
        status = child.wait()

    if status != 0:
        raise RuntimeError(
            f"the one-off call ended with status {status}: {said.strip().rpartition(chr(10))[2]}"
        )
    return time.perf_counter() - started


def main() -> None:
    """Compute the cell that the command line gives, once."""
    die_with_it()
    cell = build(Cell, json.loads(sys.argv[1]))
    read = read_canonical(Path(cell.dataset.path), cell.dataset.frames)
    frames = with_vacuum(read, cell.hypers.cutoff_radius)

    mode = modes.load(cell.mode)
    threads.pin_loaded_pools(cell.threads)
    calculator = modes.prepare(cell, frames)
    mode.compute(calculator, frames, Silent())


if __name__ == "__main__":
    main()
