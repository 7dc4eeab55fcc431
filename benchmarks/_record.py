"""Store what benchmarks measured as JSON in results/benchmarks, one file a benchmark."""

from __future__ import annotations

import json
import os
from dataclasses import asdict
from pathlib import Path
from typing import Any

from anisweep.descriptors.kernels import loader
from anisweep.worker import host

FOLDER = Path("results/benchmarks")


def keep(name: str, measured: Any, smoke: bool) -> None:
    """Write data classes with the machine that they were measured on; not those of a smoke test."""
    if smoke:
        return

    versions = host.versions()
    kept = {
        "cpu": host.facts()["cpu_model"],
        "level": loader.level(),
        "load": os.getloadavg()[0],
        "packages": {package: versions[package] for package in ("anisoap", "featomic", "numpy", "torch")},
        "measured": [asdict(each) for each in measured],
    }
    FOLDER.mkdir(parents=True, exist_ok=True)
    (FOLDER / f"{name}.json").write_text(json.dumps(kept, indent=1) + "\n", encoding="utf-8")


def read(name: str) -> dict[str, Any]:
    """What one benchmark has written.

    Raises
    ------
    FileNotFoundError
        when it has not run
    """
    return dict(json.loads((FOLDER / f"{name}.json").read_text(encoding="utf-8")))
