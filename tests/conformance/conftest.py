"""The real frames, where there are any."""

import os
from pathlib import Path

import pytest
from ase.io import read
from cases import canonical


@pytest.fixture(scope="session")
def real_frames():
    """The first 200 frames of upstream's ellipsoids, with the diameters of the study."""
    folder = os.environ.get("ANISWEEP_DATA")
    if not folder:
        pytest.skip("no data: ANISWEEP_DATA names no folder with ellipsoids.xyz.xz")

    frames = read(Path(folder) / "ellipsoids.xyz.xz", ":200", format="extxyz")
    return [canonical(frame, frame.arrays["c_q"]) for frame in frames]
