"""Keep what is measured on a GPU: after each measurement, with what was left out and why."""

from __future__ import annotations

import gc
import platform
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from time import monotonic
from typing import Any

import torch

from anisweep.descriptors.kernels import loader
from anisweep.files import write_json

#: Results, beside those of the other benchmarks.
RESULT = Path("results/benchmarks/gpu.json")


@dataclass(frozen=True)
class Timed:
    """One way to do a task, for one size.

    Attributes
    ----------
    pairs : ordered, without the particles themselves
    first_s : what was made and compiled before, with the first call
    seconds, low, high : of a call, median and quartiles
    peak_bytes : most memory of the GPU beyond inputs; 0 on the host
    operations, bytes : additions and multiplications, and what must be read and written; 0 where not counted
    """

    task: str
    way: str
    lmax: int
    max_radial: int | None
    frames: int
    particles: int
    pairs: int
    first_s: float
    seconds: float
    low: float
    high: float
    peak_bytes: int
    operations: int
    bytes: int


@dataclass(frozen=True)
class Checked:
    """The error of a result, relative to the largest value of the C kernels', and what it may be."""

    what: str
    error: float
    bound: float


@dataclass(frozen=True)
class LeftOut:
    """What was not measured, and why."""

    what: str
    why: str


@dataclass
class Journal:
    """Hold all records of a run, and write them after each.

    Attributes
    ----------
    machine : names and versions
    rates : additions and multiplications per second of a matrix product, and bytes per second of a copy
    end : when nothing more is begun, on the clock of `monotonic`
    path : where it is kept; None for a smoke test
    lost : whether the GPU answers no more
    """

    machine: dict[str, str]
    end: float
    path: Path | None = None
    rates: dict[str, float] = field(default_factory=dict)
    checked: list[Checked] = field(default_factory=list)
    timed: list[Timed] = field(default_factory=list)
    left_out: list[LeftOut] = field(default_factory=list)
    lost: bool = False

    def attempt(self, what: str, function: Callable[[], Any], expected_s: float = 0.0) -> Any:
        """What a function returns; None where there is no time for it or where it fails, which is named."""
        if self.lost:
            return self.leave_out(what, "the GPU answers no more")
        if monotonic() + expected_s > self.end:
            return self.leave_out(what, "no time was left")

        why = ""
        try:
            return function()
        except Exception as error:  # whatever Torch, Triton and drivers raise
            why = " ".join(f"{type(error).__name__}: {error}".split())[:200]

        # Only now, when the error holds no tensors any more.
        self.lost = not free()
        return self.leave_out(what, why)

    def leave_out(self, what: str, why: str) -> None:
        """Name what was not measured."""
        print(f"  left out: {what}: {why}", flush=True)
        self.left_out.append(LeftOut(what, why))
        self.save()

    def add(self, record: Timed | Checked) -> None:
        """Keep what was measured."""
        (self.timed if isinstance(record, Timed) else self.checked).append(record)
        self.save()

    def save(self) -> None:
        """Write all records; an older file is replaced when the new one is whole."""
        if self.path is None:
            return
        parts = {
            name: [asdict(each) for each in getattr(self, name)] for name in ("checked", "timed", "left_out")
        }
        write_json(self.path, {"machine": self.machine, "rates": self.rates, **parts})


def free() -> bool:
    """Give memory back; False where the GPU answers no more, as after an illegal access."""
    gc.collect()
    if not torch.cuda.is_available():
        return True
    try:
        torch.cuda.synchronize()
        torch.cuda.empty_cache()
    except RuntimeError:
        return False
    return True


def machine() -> dict[str, str]:
    """Names and versions of what is measured."""
    info = Path("/proc/cpuinfo")
    lines = info.read_text(encoding="utf-8").splitlines() if info.exists() else []
    models = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return {
        "gpu": torch.cuda.get_device_name() if torch.cuda.is_available() else "none",
        "cpu": next(iter(models), platform.machine()),
        "level": loader.level(),
        "torch": torch.__version__,
        "triton": import_module("triton").__version__ if find_spec("triton") else "none",
        "cuda": str(torch.version.cuda),
    }
