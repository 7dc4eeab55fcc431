from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from clone import Clone

HERE = Path(__file__).parent


@pytest.fixture(scope="session")
def planted(tmp_path_factory: pytest.TempPathFactory) -> Clone:
    """A project with a mode and a study whose packs take two seconds; nothing is measured yet."""
    base = tmp_path_factory.mktemp("planted")
    clone = Clone.of_the_tree(base / "a copy", PYTHONPYCACHEPREFIX=str(base / "compiled"))
    shutil.copy(HERE / "quick.py", clone.root / "src" / "anisweep" / "modes")
    shutil.copy(HERE / "quick.yaml", clone.root / "config" / "studies")
    return clone


@pytest.fixture
def project(planted: Clone, tmp_path: Path) -> Clone:
    """A copy of the planted project, whose path has a space."""
    return planted.copy(tmp_path / "a copy")
