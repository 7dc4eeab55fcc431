"""`make clean` removes what can be made again, and nothing that a run or a job still needs."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from anisweep.config.project import Project
from anisweep.plan import run_lock

ROOT = Path(__file__).parents[2]

DERIVED = ("results/tiny/tables/cells.csv", "results/tiny/figures/a.svg", "results/report.html", "build/a")
KEPT = ("results/artifacts/a.tar.gz", "data/a.xyz", "results/batches/b/batch.json")
PACK = "results/packs/a.json"


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    (tmp_path / "scripts").mkdir()
    shutil.copy(ROOT / "scripts" / "clean.py", tmp_path / "scripts")
    for name in (*DERIVED, *KEPT, PACK, ".snakemake/log"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    return tmp_path


def clean(clone: Path, status: int = 0) -> str:
    command = [sys.executable, "scripts/clean.py"]
    done = subprocess.run(command, cwd=clone, capture_output=True, text=True, check=False)
    assert done.returncode == status, done.stdout + done.stderr
    return done.stdout + done.stderr


def there(clone: Path, *names: str) -> list[bool]:
    return [(clone / name).exists() for name in names]


def test_what_can_be_made_again_goes(clone: Path) -> None:
    (clone / "results/batches/b/closed").touch()
    clean(clone)

    assert not any(there(clone, *DERIVED, PACK, ".snakemake"))
    assert all(there(clone, *KEPT))


def test_packs_that_a_submission_needs_stay(clone: Path) -> None:
    said = clean(clone)

    assert "results/packs stays, too: 1 submissions are under way" in said
    assert not any(there(clone, *DERIVED, ".snakemake"))
    assert all(there(clone, *KEPT, PACK))


def test_while_a_run_goes_on_nothing_goes(clone: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    mine: list[object] = []
    monkeypatch.setattr(run_lock, "_held", mine)
    run_lock.hold(Project(clone), [])

    said = clean(clone, status=1)
    mine.clear()

    assert "A run is going on here" in said
    assert all(there(clone, *DERIVED, *KEPT, PACK, ".snakemake"))
