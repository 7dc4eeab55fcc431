"""Collect facts about the machine that explain a time, and warn of those that make it doubtful."""

from __future__ import annotations

import ctypes
import os
import platform
import socket
import sys
from importlib import metadata
from pathlib import Path
from typing import Any

import psutil

from anisweep.cell import NOT_PINNED

#: Feature levels of x86-64, each with flags that only it and higher ones have.
LEVELS = (
    ("x86_64-v4", {"avx512f", "avx512bw", "avx512cd", "avx512dq", "avx512vl"}),
    ("x86_64-v3", {"avx2", "bmi1", "bmi2", "fma", "f16c", "movbe"}),
    ("x86_64-v2", {"sse4_2", "ssse3", "popcnt", "cx16"}),
)


def facts() -> dict[str, Any]:
    """Return what is known of the machine, once for a pack."""
    cpu = _cpuinfo()
    return {
        "host": socket.gethostname(),
        "cpu_model": cpu.get("model name") or platform.processor() or platform.machine(),
        "cpu_family": cpu.get("cpu family", ""),
        "cpu_model_number": cpu.get("model", ""),
        "microarchitecture": _level(set(cpu.get("flags", "").split())),
        "architecture": platform.machine(),
        "caches": _caches(),
        "cpus": os.cpu_count(),
        "affinity": affinity(),
        "memory_mb": round(psutil.virtual_memory().total / 2**20),
        "governor": _text("/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor"),
        "frequency_mhz": round(frequency.current) if (frequency := psutil.cpu_freq()) else None,
        "throttled": throttle_count(),
        "system": platform.platform(),
        "container": os.environ.get("APPTAINER_NAME") or os.environ.get("SINGULARITY_NAME") or "",
        "slot": _machine_ad(),
    }


def versions() -> dict[str, str]:
    """Return the version of every installed distribution, and of the interpreter."""
    found = {d.metadata["Name"].lower(): d.version for d in metadata.distributions() if d.metadata["Name"]}
    return {"python": platform.python_version(), **dict(sorted(found.items()))}


def accelerators() -> dict[str, Any]:
    """Return what torch knows of GPUs, where a mode has imported it."""
    torch = sys.modules.get("torch")
    if torch is None:
        return {}

    count = torch.cuda.device_count()
    devices = [f"cuda:{index} {torch.cuda.get_device_name(index)}" for index in range(count)]
    if torch.backends.mps.is_available():
        devices.append("mps")
    return {"cuda_version": torch.version.cuda, "cudnn": torch.backends.cudnn.version(), "devices": devices}


def affinity() -> list[int]:
    """Return the CPUs that this process may use; empty where the system does not say."""
    return sorted(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else []


def load() -> float:
    """Return the load average of the last minute."""
    return os.getloadavg()[0]


def noise(walls: list[float], threads: int, load_before: float, throttled: int) -> list[str]:
    """Return warnings about a noisy measurement: the number, why it matters, what helps.

    Threads that are not pinned want every CPU.
    """
    warnings = []
    middle = sorted(walls)[len(walls) // 2]
    spread = (max(walls) - min(walls)) / middle

    if spread > 0.2:
        warnings.append(
            f"repetitions spread over {100 * spread:.0f} % of their median: small differences are "
            "lost in that. Close other programs, or raise measure.repetitions."
        )

    cpus = os.cpu_count() or 1
    free = cpus - (cpus if threads == NOT_PINNED else threads)
    if load_before > max(1, free) + 0.5:  # the run itself leaves a load of about 1
        warnings.append(
            f"load average {load_before:.1f} before the start on {cpus} CPUs: others were "
            "computing. `top` shows who."
        )

    if throttled and throttled < throttle_count():
        warnings.append(
            "the processor was throttled for heat: times are too long. Improve cooling, or run again."
        )

    if _text("/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor") == "powersave":
        warnings.append(
            "the governor is powersave: the clock rises late. "
            "`sudo cpupower frequency-set -g performance` helps."
        )

    return warnings


def throttle_count() -> int:
    """Return how often the processor has been throttled since it was switched on."""
    count = _text("/sys/devices/system/cpu/cpu0/thermal_throttle/core_throttle_count")
    return int(count) if count.isdigit() else 0


def reset_peak_memory() -> float | None:
    """Free unused memory, restart the peak of resident memory, and return that peak in MB.

    Where the system cannot do that (it is Linux's), the answer is ``None`` and nothing is measured.
    """
    try:
        ctypes.CDLL(None).malloc_trim(0)
        Path("/proc/self/clear_refs").write_text("5")
    except (OSError, AttributeError):
        return None
    return peak_memory_mb()


def peak_memory_mb() -> float:
    """Return the largest resident memory since `reset_peak_memory` (Linux), in MB."""
    lines = _text("/proc/self/status").splitlines()
    return next(int(line.split()[1]) / 1024 for line in lines if line.startswith("VmHWM:"))


def _cpuinfo() -> dict[str, str]:
    first = _text("/proc/cpuinfo").split("\n\n")[0]
    pairs = (line.split(":", 1) for line in first.splitlines() if ":" in line)
    return {key.strip(): value.strip() for key, value in pairs}


def _level(flags: set[str]) -> str:
    return next((name for name, needed in LEVELS if needed <= flags), "")


def _caches() -> dict[str, str]:
    folders = sorted(Path("/sys/devices/system/cpu/cpu0/cache").glob("index*"))
    return {f"L{_text(f / 'level')} {_text(f / 'type')}": _text(f / "size") for f in folders}


def _machine_ad() -> dict[str, str]:
    """Return the slot's own description, where HTCondor gives one."""
    lines = _text(os.environ.get("_CONDOR_MACHINE_AD", "")).splitlines()
    pairs = (line.split("=", 1) for line in lines if "=" in line)
    return {key.strip(): value.strip().strip('"') for key, value in pairs}


def _text(path: str | Path) -> str:
    try:
        return Path(path).read_text().strip() if str(path) else ""
    except OSError:
        return ""
