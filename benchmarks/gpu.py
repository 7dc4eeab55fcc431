"""Check and time the descriptors on a GPU beside one core of its machine, within eight minutes.

It needs NumPy, Torch and our kernels, which it compiles where they are not. Triton, and ASE with anisoap for
`torch_full`, are left out by name where they are missing. All is kept in results/benchmarks/gpu.json after
each measurement. Without a GPU nothing is measured.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from threading import Timer
from time import monotonic
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from benchmarks._gpu_journal import Journal

#: When the last measurement may begin, and when the process ends whatever it does, in seconds.
BEGUN_S, ENDED_S = 440.0, 470.0


def run(smoke: bool) -> None:
    """Print the figures and keep them; a smoke test takes the CPU where there is no GPU."""
    started = monotonic()
    if find_spec("torch") is None:
        print("  not measured: Torch is not installed (pip install torch)")
        return

    import torch

    from anisweep.descriptors.kernels import loader
    from benchmarks import _gpu_page, _gpu_timing
    from benchmarks._gpu_journal import RESULT, Journal, machine

    loader.compile_kernels()
    there = torch.cuda.is_available()
    if smoke:
        journal = Journal(machine(), started + BEGUN_S)
        _gpu_timing.measure(journal, "cuda" if there else "cpu", (10,), _gpu_timing.BASES[:1])
    elif there:
        journal = Journal(machine(), started + BEGUN_S, RESULT)
        with ended(journal, started + ENDED_S):
            _gpu_timing.measure(journal, "cuda", _gpu_timing.SIZES, _gpu_timing.BASES)
        _gpu_page.take(Path(), RESULT)
    else:
        print("  not measured: Torch sees no GPU on this machine; `nvidia-smi` shows what there is")


@contextmanager
def ended(journal: Journal, at: float) -> Iterator[None]:
    """End the process at a time: what hangs in a driver answers to nothing else."""

    def end() -> None:
        from benchmarks import _gpu_page
        from benchmarks._gpu_journal import RESULT

        journal.leave_out("everything after the last measurement", "it was not over in time")
        _gpu_page.take(Path(), RESULT)
        os._exit(0)

    timer = Timer(max(0.0, at - monotonic()), end)
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()
