"""Real data, when there are any."""

import os
from pathlib import Path

import pytest

from anisweep import datasets


@pytest.fixture(scope="session")
def real_file() -> Path:
    folder = os.environ.get("ANISWEEP_DATA")
    if not folder:
        pytest.skip("no data: ANISWEEP_DATA names no folder with ellipsoids.xyz.xz")
    return Path(folder) / "ellipsoids.xyz.xz"


@pytest.fixture(scope="session")
def real_ellipsoids(real_file):
    user = datasets.UserFile(real_file, orientations="c_q", diameters=(3.0, 3.0, 1.0))
    return datasets.read_user_file(user)
