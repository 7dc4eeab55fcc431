"""Liquid benzene, whose particles others have computed: given with the all-atom frames."""

from __future__ import annotations

import os
from itertools import islice
from pathlib import Path

import numpy as np
import pytest
from known_molecules import axes_of

from anisweep.coarsen import coarsen_file
from anisweep.datasets.user_files.userfile import read_any

#: Relative to the largest value. The given frames have four digits, as their atoms have.
CLOSE = 1e-4


@pytest.fixture
def data() -> Path:
    folder = os.environ.get("ANISWEEP_DATA")
    if not folder or not (Path(folder) / "benzene-liquid-atoms.dump.xz").is_file():
        pytest.skip("no data: ANISWEEP_DATA names no folder with benzene-liquid-atoms.dump.xz")
    return Path(folder)


def test_the_atoms_of_liquid_benzene_give_the_given_particles(data, tmp_path):
    coarsen_file(data / "benzene-liquid-atoms.dump.xz", tmp_path / "cg.xyz")
    ours = list(read_any(tmp_path / "cg.xyz"))
    given = list(islice(read_any(data / "benzene-liquid.xyz.xz"), len(ours)))

    assert len(ours) == 2
    for mine, theirs in zip(ours, given, strict=True):
        np.testing.assert_allclose(mine.positions, theirs.positions, atol=CLOSE)
        overlaps = np.abs(np.einsum("mik,mik->mk", axes_of(mine), axes_of(theirs)))
        np.testing.assert_allclose(overlaps, 1, atol=CLOSE)
        for name in ("forces", "torques"):
            exact = theirs.arrays[name]
            assert np.abs(mine.arrays[name] - exact).max() < CLOSE * np.abs(exact).max()
