"""Pin the threads: set environment variables before the first import, and ask each thread pool afterwards.

Where a study asks for `free` threads nothing is set and nothing is demanded: the pools are what the libraries
make of the machine, and the row says what they were.
"""

from __future__ import annotations

import os
import sys

from threadpoolctl import threadpool_info

from anisweep.cell import NOT_PINNED

#: Every variable that a layer of the stack reads. HTCondor and Snakemake set some of them, to other values.
VARIABLES = (
    "OMP_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "GOTO_NUM_THREADS",
    "MKL_NUM_THREADS",
    "BLIS_NUM_THREADS",
    "VECLIB_MAXIMUM_THREADS",
    "NUMEXPR_NUM_THREADS",
    "NUMEXPR_MAX_THREADS",
    "NUMBA_NUM_THREADS",
    "RAYON_NUM_THREADS",
    "TORCH_NUM_THREADS",
    "JULIA_NUM_THREADS",
)

#: How the pools of OpenMP and MKL behave.
PINNED = {
    "OMP_DYNAMIC": "FALSE",
    "MKL_DYNAMIC": "FALSE",
    "OMP_PROC_BIND": "FALSE",  # the scheduler binds, where something does
}

#: CPU time may exceed wall time x threads by this factor: clocks are not read at the same instant.
TOLERANCE = 1.05


def environment_for(threads: int) -> dict[str, str]:
    """Return the environment of a fresh interpreter whose pools have ``threads`` threads.

    For `NOT_PINNED` it has no variable of threads, neither ours nor one of the shell or of HTCondor.
    """
    ours = {*VARIABLES, *PINNED}
    environment = {name: value for name, value in os.environ.items() if name not in ours}
    environment.update(PYTHONHASHSEED="0", PYTHONUNBUFFERED="1")

    if threads != NOT_PINNED:
        environment.update(dict.fromkeys(VARIABLES, str(threads)))
        environment.update(PINNED)
    return environment


def pin_loaded_pools(threads: int) -> None:
    """Set the threads of loaded pools that have a call of their own for it."""
    if threads == NOT_PINNED:
        return

    torch = sys.modules.get("torch")
    if torch is not None:
        torch.set_num_threads(threads)
        if torch.get_num_interop_threads() != 1:
            torch.set_num_interop_threads(1)

    numba = sys.modules.get("numba")
    if numba is not None:
        numba.set_num_threads(threads)


def pools() -> dict[str, int]:
    """Return the number of threads of each pool, whether or not threadpoolctl sees it."""
    found = {f"{info['internal_api']} ({info['prefix']})": info["num_threads"] for info in threadpool_info()}

    torch = sys.modules.get("torch")
    if torch is not None:
        found["torch"] = torch.get_num_threads()

    numba = sys.modules.get("numba")
    if numba is not None:
        found["numba"] = numba.get_num_threads()

    if "featomic" in sys.modules and "RAYON_NUM_THREADS" in os.environ:
        found["rayon (featomic)"] = int(os.environ["RAYON_NUM_THREADS"])  # read once, at its first use

    return found


def complaint(found: dict[str, int], threads: int, cpu_s: float, wall_s: float) -> str:
    """Return what is wrong with the threads of a measured cell; empty when nothing is."""
    if threads == NOT_PINNED:
        return ""

    others = {name: count for name, count in found.items() if count != threads}
    if others:
        named = ", ".join(f"{name}: {count}" for name, count in others.items())
        return f"{threads} threads were asked for, but {named}"

    if cpu_s > TOLERANCE * threads * wall_s:
        return f"{cpu_s:.3g} s of CPU in {wall_s:.3g} s: more than {threads} thread(s) did the work"

    return ""
