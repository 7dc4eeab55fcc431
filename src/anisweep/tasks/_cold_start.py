"""Time a first call in a fresh interpreter, from its start: imports, a model's file, energies and forces.

`seconds` runs it as ``python -m anisweep.tasks._cold_start HOW MODEL FRAMES``.
"""

from __future__ import annotations

import pickle
import subprocess
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any


def seconds(how: str, model: Path, frames: list[Any]) -> float:
    """Return how long it takes ``c_kernels``, ``eager``, or ``exported``, which has a file of its own."""
    with TemporaryDirectory() as folder:
        file = Path(folder, "frames.pickle")
        file.write_bytes(pickle.dumps(frames))
        started = time.perf_counter()
        subprocess.run([sys.executable, "-m", __name__, how, str(model), str(file)], check=True)
        return time.perf_counter() - started


def main() -> None:
    """Compute frames once."""
    how, model, file = sys.argv[1:]
    frames = pickle.loads(Path(file).read_bytes())

    if how == "exported":
        from anisweep.models.exporting import load_exported

        load_exported(model).compute(frames)
    elif how == "eager":
        from anisweep.models import load
        from anisweep.models.in_torch import TorchModel

        in_torch = TorchModel.of(load(model))
        in_torch.derivatives(*in_torch.batch(frames))
    else:
        from anisweep.models import load

        load(model).compute(frames)


if __name__ == "__main__":
    main()
