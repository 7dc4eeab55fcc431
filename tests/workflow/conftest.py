from __future__ import annotations

import fcntl
import os
from pathlib import Path

import pytest

from clone import Clone

#: What the one run said that all tests of a session share.
SAID = "said.txt"


@pytest.fixture(scope="session")
def measured(tmp_path_factory: pytest.TempPathFactory) -> Clone:
    """The study `tiny`, measured once in a session, by whichever of its processes comes first. Only copies
    of it may be changed."""
    base = tmp_path_factory.getbasetemp()
    shared = base.parent if "PYTEST_XDIST_WORKER" in os.environ else base
    root = shared / "a measured copy"
    compiled = str(shared / "compiled")  # where Python keeps bytecode, so that nothing is written elsewhere

    with (shared / "measured.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)

        if not (root / SAID).exists():
            clone = Clone.of_the_tree(root, PYTHONPYCACHEPREFIX=compiled)
            said = clone.snakemake()
            (root / SAID).write_text(said)

    return Clone(root, {"PYTHONPYCACHEPREFIX": compiled})


@pytest.fixture
def project(measured: Clone, tmp_path: Path) -> Clone:
    """A copy of the measured project, whose path has a space."""
    return measured.copy(tmp_path / "a copy")
