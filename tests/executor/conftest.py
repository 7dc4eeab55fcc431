"""What the tests of the executor share."""

from __future__ import annotations

from pathlib import Path

import pytest
from fakes import SHAPE, FakeSchedd

from snakemake_executor_plugin_condorsweep import schedd
from snakemake_executor_plugin_condorsweep.batch import Batch, Entry
from snakemake_executor_plugin_condorsweep.submit_file import Site, files_of


@pytest.fixture
def batch(tmp_path: Path) -> Batch:
    """A batch of three on disk."""
    entries = [Entry(f"e{n}", f"out/e{n}.txt", ("data.txt",), "true", f"logs/e{n}.log") for n in range(3)]
    made = Batch.new(tmp_path, "batches", "make", entries)
    made.write(files_of(made, SHAPE, Site()))
    return made


@pytest.fixture
def queue(monkeypatch: pytest.MonkeyPatch) -> FakeSchedd:
    """A queue in memory, which answers in place of HTCondor's."""
    fake = FakeSchedd()
    for name in ("submit", "in_queue", "remove", "remove_jobs"):
        monkeypatch.setattr(schedd, name, getattr(fake, name))
    return fake
