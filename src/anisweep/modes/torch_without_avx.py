"""The calls of torch_mixed run on the narrowest vector units: Torch's own kernels and MKL keep to SSE2."""

from __future__ import annotations

import ctypes
import platform
from pathlib import Path

import numpy as np
import torch
from ase import Atoms
from metatensor import TensorMap

from anisweep.cell import Hypers, Output
from anisweep.modes import Timer, Unavailable, _mixed, require, require_environment

PRECISIONS = ("fp64", "fp32")
DEVICES = ("cpu",)

#: Both are read once, when Torch and MKL start.
ENVIRONMENT = {"ATEN_CPU_CAPABILITY": "default", "MKL_CBWR": "COMPATIBLE"}

#: What MKL calls its branch without AVX.
_COMPATIBLE = 3


def prepare(hypers: Hypers, output: Output, precision: str, device: str) -> _mixed.Calculator:
    """Return the calculator of torch_mixed, after a check that the vector units are really off."""
    require("precision", precision, PRECISIONS)
    require("device", device, DEVICES)
    require_environment(ENVIRONMENT)

    if platform.machine() not in ("x86_64", "AMD64"):
        raise Unavailable(f"a processor of kind {platform.machine()} has no AVX to do without")
    _look_at_the_vector_units()
    return _mixed.prepare(hypers, output, precision)


def compute(calculator: _mixed.Calculator, frames: list[Atoms], clock: Timer) -> TensorMap | np.ndarray:
    """Return coefficients of any number of species, or the power spectrum of one, in float64."""
    return _mixed.compute(calculator, frames, clock)


def _look_at_the_vector_units() -> None:
    """Ask Torch and MKL which path they take, rather than trust their variables."""
    kernels = torch.backends.cpu.get_cpu_capability()
    if kernels != "DEFAULT":
        raise RuntimeError(f"Torch's kernels run on {kernels}, although they were asked not to")

    library = ctypes.CDLL(str(Path(torch.__file__).with_name("lib") / "libtorch_cpu.so"))
    if not torch.backends.mkl.is_available() or not hasattr(library, "mkl_serv_cbwr_get"):
        raise Unavailable("this Torch has no MKL that can be asked for its vector units")

    branch = library.mkl_serv_cbwr_get(-1)
    if branch != _COMPATIBLE:
        raise RuntimeError(f"MKL runs on its branch {branch}, although it was asked for {_COMPATIBLE}")
