"""A cell that failed for good is no success of the run, however that is started."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from clone import ROOT, Clone

STUDY = """\
question: Is a failure called one?
replicates: 1
reference: quick
modes: [quick, raises]
outputs: [power_spectrum]
datasets: {four_species: {frames: 1}}
measure: {repetitions: 2, warmups: 0, minimum_s: 0}
"""

LEFT = "1 of 2 cells has no measurement (1 failed). To try again: "
AGAIN = "snakemake --profile local --config study=fails retry=True"


@pytest.fixture
def failing(tmp_path: Path) -> Clone:
    """A project whose study `fails` has one cell that always fails."""
    clone = Clone.of_the_tree(tmp_path / "a copy", PYTHONPYCACHEPREFIX=str(tmp_path / "compiled"))
    for mode in (ROOT / "tests" / "faults" / "quick.py", ROOT / "tests/pool/planted/modes/raises.py"):
        shutil.copy(mode, clone.root / "src" / "anisweep" / "modes")
    (clone.root / "config" / "studies" / "fails.yaml").write_text(STUDY)
    return clone


def test_a_cell_that_failed_ends_every_run_with_status_1(failing: Clone) -> None:
    said = _run(failing, status=1)
    assert said.splitlines()[-1] == LEFT + AGAIN
    assert (failing.root / "results" / "report.html").exists()
    assert len(failing.digests()) == 1

    said = _run(failing, "--", "measure", status=1)
    assert "all measured" not in said
    assert said.splitlines()[-1] == LEFT + AGAIN
    assert len(failing.digests()) == 1

    _run(failing, "--", "report", status=0)


def _run(failing: Clone, *arguments: str, status: int) -> str:
    command = ("snakemake", "--profile", "local", "--config", "study=fails", *arguments)
    return failing.run(*command, status=status).rstrip()
