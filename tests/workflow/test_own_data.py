"""A user's file from `anisweep inspect` to the tables."""

from __future__ import annotations

from pathlib import Path

import ase.io
import numpy as np
import pytest
import yaml
from ase import Atoms

from clone import Clone


@pytest.fixture
def crystals(project: Clone) -> Path:
    """Three frames of four ellipsoids, as another program would write them."""
    rng = np.random.default_rng(3)
    frames = []

    for _ in range(3):
        atoms = Atoms("C4", positions=rng.uniform(0, 8, (4, 3)), cell=[8, 8, 8], pbc=True)
        atoms.arrays["quaternions"] = rng.standard_normal((4, 4))
        frames.append(atoms)

    file = project.root / "my crystals.xyz"
    ase.io.write(file, frames, format="extxyz")
    return file


def test_a_file_becomes_a_study_and_is_measured(project: Clone, crystals: Path) -> None:
    said = project.run("anisweep", "inspect", crystals.name, "--cutoff", "4")
    for text in ("frames      3", "quaternions", "numpy_only", "pairs"):
        assert text in said

    said = project.run("anisweep", "new", "my_crystals", crystals.name)
    study = project.root / "config" / "studies" / "my_crystals.yaml"
    assert "make run STUDY=my_crystals" in said
    assert "GUESS" in study.read_text()

    small = ("replicates=1", "modes=[numpy_only]", "hypers={max_angular: 2, cutoff_radius: 4.0}")
    config = ("--config", "study=my_crystals", "measure={repetitions: 2, minimum_s: 0}", *small)
    project.run("snakemake", "--profile", "local", *config)

    results = project.root / "results" / "my_crystals"
    resolved = yaml.safe_load((results / "configuration.yaml").read_text())
    assert resolved["measure"]["repetitions"] == 2
    assert resolved["datasets"]["my_crystals"]["file"].endswith("my crystals.xyz")
    assert ",ok," in (results / "tables" / "cells.csv").read_text()
    assert "my_crystals" in (project.root / "results" / "report.html").read_text()


def test_a_file_that_cannot_be_used_stops_before_anything_is_planned(project: Clone, crystals: Path) -> None:
    project.run("anisweep", "new", "my_crystals", crystals.name)
    frames = ase.io.read(crystals, ":")
    frames[1].arrays["quaternions"][2] = 0.0
    ase.io.write(crystals, frames, format="extxyz")

    said = project.run("snakemake", "-c1", "--config", "study=my_crystals", status=1)

    for text in ("my crystals.xyz", "frame 1", "quaternions"):
        assert text in said
    assert "Traceback" not in said
