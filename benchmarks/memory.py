"""Measure peak memory beyond inputs and outputs, for few and for many frames."""

from __future__ import annotations

import ctypes
import gc
import os
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from time import sleep
from typing import Any

import numpy as np

from benchmarks import _record

#: Frames that are described to compare the peaks.
FRAMES = (1_000, 6_826)
FEW = (100, 200)

ROOT = Path(__file__).parents[1]
BASIS = (9, 6)

#: Fresh processes for each.
REPETITIONS = 3

#: Frames that are described while the peak is looked for, so that it is found for few as for many.
LOOKED_AT = 40_000

#: Python takes its memory where the kernels take theirs.
EXACT = {"PYTHONMALLOC": "malloc"}


@dataclass(frozen=True)
class Peak:
    """Most bytes that were in use beyond inputs and outputs."""

    frames: int
    bytes: float


def run(smoke: bool) -> None:
    """Print the peaks, with ``smoke`` of fewer frames."""
    counts = FEW if smoke else FRAMES
    peaks = [Peak(count, beyond(count, 1 if smoke else REPETITIONS)) for count in counts]

    for peak in peaks:
        print(f"  {peak.frames:,} frames: {peak.bytes / 2**20:.2f} MiB beyond inputs and power spectra")
    print(f"  ratio {peaks[1].bytes / peaks[0].bytes:.2f}")
    _record.keep("memory", peaks, smoke)


def beyond(count: int, repetitions: int) -> float:
    """Bytes at the peak of describing so many frames, beyond inputs and outputs: the median of processes."""
    script = f"from benchmarks import memory; print(memory.measured({count}))"
    command = [sys.executable, "-c", script]
    environment = {**os.environ, **EXACT}

    return median(
        int(subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, check=True).stdout)
        for _ in range(repetitions)
    )


def measured(count: int) -> int:
    """The same for this process, which must be a fresh one."""
    from benchmarks import _contenders as contenders
    from benchmarks import _systems as systems

    frames = systems.ellipsoids(count).frames
    describe = contenders.projection(BASIS).describe
    describe(frames[:10])  # the kernels and their tables are loaded then

    gc.collect()
    before = _in_use()
    peak = _peak(lambda: [len(describe(frames).values) for _ in range(LOOKED_AT // count)])

    arrays = [value for value in vars(describe(frames)).values() if isinstance(value, np.ndarray)]
    return peak - before - sum({id(array): array.nbytes for array in arrays}.values())


def _peak(function: Callable[[], Any]) -> int:
    """Most bytes that are in use while a function runs."""
    peak = 0

    with ThreadPoolExecutor(1) as pool:
        future = pool.submit(function)
        while not future.done():
            peak = max(peak, _in_use())
            sleep(1e-4)
    return peak


class MallInfo(ctypes.Structure):
    """What glibc says of its memory: see mallinfo(3)."""

    _fields_ = [(f"other_{n}", ctypes.c_size_t) for n in range(4)]
    _fields_ += [("mapped", ctypes.c_size_t), ("other_5", ctypes.c_size_t), ("other_6", ctypes.c_size_t)]
    _fields_ += [("used", ctypes.c_size_t), ("other_8", ctypes.c_size_t), ("other_9", ctypes.c_size_t)]


def _in_use() -> int:
    """Bytes that are allocated; unlike resident pages they are counted exactly."""
    mallinfo = ctypes.CDLL(None).mallinfo2
    mallinfo.restype = MallInfo
    info = mallinfo()
    return int(info.used + info.mapped)
