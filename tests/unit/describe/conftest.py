from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import ase.io
import numpy as np
import pytest
from ase import Atoms

from anisweep.cell import Hypers
from anisweep.describe import Request, checkpoint

SPECIES = (("C",), ("H", "C"), ("O", "C", "H"))


def frames(count: int) -> list[Atoms]:
    """Small frames of one to four particles with orientations and diameters, of up to three species."""
    generator = np.random.default_rng(1)
    return [_frame(number, generator) for number in range(count)]


def _frame(number: int, generator: np.random.Generator) -> Atoms:
    size = number % 4 + 1
    atoms = Atoms(
        np.resize(SPECIES[number % 3], size), generator.uniform(0, 6, (size, 3)), cell=[6] * 3, pbc=True
    )
    atoms.arrays["turned"] = generator.normal(size=(size, 4))
    atoms.arrays["widths"] = generator.uniform(1, 3, (size, 3))
    return atoms


def write(path: Path, atoms: Sequence[Atoms]) -> Path:
    ase.io.write(path, list(atoms), format="extxyz")
    return path


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """Forty frames."""
    return write(tmp_path / "some.xyz", frames(40))


@pytest.fixture
def request_(file: Path, monkeypatch: pytest.MonkeyPatch) -> Request:
    """Power spectra of each particle of the file, in parts of seven frames."""
    monkeypatch.setattr(checkpoint, "FRAMES", 7)
    hypers = replace(Hypers(), max_angular=3, max_radial=1, cutoff_radius=4.0)
    return Request(file, hypers, "turned", "widths")
