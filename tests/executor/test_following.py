"""One program follows a folder of batches."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from snakemake_executor_plugin_condorsweep import following
from snakemake_executor_plugin_condorsweep.following import Followed, follow

PLUGIN = Path(__file__).parents[2] / "condor" / "executor"

HOLDS = """
import sys
from pathlib import Path
from snakemake_executor_plugin_condorsweep.following import follow
held = follow(Path(sys.argv[1]))
print("holds", flush=True)
sys.stdin.read()
"""


def test_second_is_refused_by_name_until_the_first_is_killed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(following, "PATIENCE_S", 0.0)
    with subprocess.Popen(
        [sys.executable, "-c", HOLDS, str(tmp_path / "batches")],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": str(PLUGIN)},
    ) as first:
        assert first.stdout is not None
        assert first.stdout.readline() == b"holds\n"

        with pytest.raises(Followed, match=rf"on .*, pid {first.pid}, since 20"):
            follow(tmp_path / "batches")
        first.kill()

    follow(tmp_path / "batches").close()


def test_holder_whose_name_could_not_be_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(following, "PATIENCE_S", 0.0)
    with follow(tmp_path) as held:
        held.truncate(0)
        with pytest.raises(Followed, match="about to write its name"):
            follow(tmp_path)
