"""A workplace for packs: a copy of our source with modes planted in it, and two real frames."""

from __future__ import annotations

import shutil
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

import anisweep
import examples
from anisweep import datasets, modes
from anisweep.artifacts.reading import Contents, read
from anisweep.cell import Cell, Dataset, Pack, Settings
from anisweep.worker import supervise

SETTINGS = Settings(warmups=0, repetitions=2, minimum_s=0.01, limit_s=1.5)

HEAD = '''"""A mode of a test."""
import atexit, os, time
import numpy as np
from anisweep.modes import Unavailable

PRECISIONS = ("fp64",)
DEVICES = ("cpu",)

def prepare(hypers, output, precision, device):
    return 1.0

def right(frames):
    return np.array([[frame.cell.volume, len(frame), np.linalg.norm(frame.cell[0])] for frame in frames])

'''

COMPUTE = "def compute(calculator, frames, clock):\n    {}\n"


@dataclass
class Workplace:
    """Where packs run, with modes that need neither torch nor anisoap."""

    folder: Path
    package: Path
    dataset: Dataset

    def plant(self, name: str, body: str) -> None:
        """A mode of one line."""
        (self.package / "modes" / f"{name}.py").write_text(HEAD + COMPUTE.format(body))

    def cell(self, mode: str, **changes: Any) -> Cell:
        return examples.cell(**{"dataset": self.dataset, "mode": mode, "settings": SETTINGS, **changes})

    def pack(self, *cells: Cell) -> Pack:
        return replace(examples.pack(*cells), reference="plain")

    def run(self, *cells: Cell) -> Contents:
        """Measure the pack of these cells, and read its artifact to the last byte."""
        supervise.run_pack(self.pack(*cells), self.target)
        return read(self.target)

    @property
    def target(self) -> Path:
        return self.folder / "artifacts" / "example-r1-0123456789ab.tar.gz"


@pytest.fixture
def workplace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Workplace:
    source = Path(anisweep.__file__).parent
    package = tmp_path / "src" / "anisweep"
    shutil.copytree(source, package, ignore=shutil.ignore_patterns("report", "figures", "tables"))
    monkeypatch.setenv("PYTHONPATH", str(package.parent))
    monkeypatch.setattr(modes, "FOLDER", package / "modes")
    monkeypatch.delenv("ANISWEEP_CONTROLLER", raising=False)

    recipe = replace(datasets.generated()["ellipsoids"], frames=2)
    path = tmp_path / "ellipsoids.xyz"
    datasets.prepare(recipe, path)

    place = Workplace(tmp_path, package, Dataset("ellipsoids", str(path), recipe.digest, 2))
    place.plant("plain", "return right(frames)")
    place.plant("sleeping", "time.sleep(60)")
    return place
