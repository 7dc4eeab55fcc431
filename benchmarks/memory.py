"""Peak memory beyond inputs and outputs, for few and for many frames."""

from __future__ import annotations

import ctypes
import gc
import os
import subprocess
import sys
from pathlib import Path
from statistics import median

import numpy as np

#: Frames that are described to compare the peaks.
FRAMES = (1_000, 6_826)
FEW = (100, 200)

BASIS = (9, 6)

#: Fresh processes for each.
REPETITIONS = 5

#: Memory comes in small pieces and goes back at once, so that what is resident is what is in use (glibc).
EXACT = {
    "MALLOC_MMAP_THRESHOLD_": "65536",
    "MALLOC_TRIM_THRESHOLD_": "65536",
    "NUMPY_MADVISE_HUGEPAGE": "0",
    "PYTHONMALLOC": "malloc",
}


def run(smoke: bool) -> None:
    """Print the peaks, with ``smoke`` of fewer frames."""
    counts = FEW if smoke else FRAMES
    peaks = [beyond(count, 1 if smoke else REPETITIONS) for count in counts]

    for count, peak in zip(counts, peaks, strict=True):
        print(f"  power spectra of {count:,} frames: {peak / 2**20:.2f} MiB beyond inputs and outputs")
    print(f"  ratio {peaks[1] / peaks[0]:.2f}")


def beyond(count: int, repetitions: int) -> float:
    """Bytes at the peak of describing so many frames, beyond inputs and outputs: the median of processes."""
    script = f"from benchmarks import memory; print(memory.measured({count}))"
    command = [sys.executable, "-c", script]
    environment = {**os.environ, **EXACT}

    return median(
        int(subprocess.run(command, env=environment, capture_output=True, check=True).stdout)
        for _ in range(repetitions)
    )


def measured(count: int) -> int:
    """The same for this process, which must be a fresh one."""
    from benchmarks import _contenders as contenders
    from benchmarks import _systems as systems

    _, frames = systems.ellipsoids(count)
    describe = contenders.projection(*BASIS).describe
    describe(frames[:100])  # so that the kernels and their tables are loaded

    gc.collect()
    ctypes.CDLL(None).malloc_trim(0)
    Path("/proc/self/clear_refs").write_text("5")  # forgets the peak of the past
    before = _resident("VmRSS")
    described = describe(frames)
    peak = _resident("VmHWM")

    outputs = {id(value): value.nbytes for value in vars(described).values() if isinstance(value, np.ndarray)}
    return peak - before - sum(outputs.values())


def _resident(name: str) -> int:
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(1024 * int(line.split()[1]) for line in lines if line.startswith(name))
