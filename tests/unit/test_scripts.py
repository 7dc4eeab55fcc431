"""The study's scripts, as they are typed."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from anisweep.bundles.old_figures import make_plots, plot_results
from anisweep.config.project import Project
from anisweep.errors import UserError
from study_bundles import CHTC, HOME, tgz, zipped

ROOT = Path(__file__).parents[2]


def run(project: Project, *words: str, status: int = 0) -> str:
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "src")}
    done = subprocess.run(
        [sys.executable, str(ROOT / "scripts" / words[0]), *words[1:]],
        cwd=project.root,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == status, done.stdout + done.stderr
    return done.stdout + done.stderr


@pytest.fixture
def bundles(project: Project) -> Project:
    tgz(project.root / "X.tgz", CHTC)
    zipped(project.root / "Y.zip", HOME)
    return project


def drawn(project: Project) -> set[str]:
    return {file.stem for file in (project.results / "figures").glob("*.svg")}


def test_organize_and_draw(bundles: Project) -> None:
    """The sequence of the study, and all that it leaves."""
    assert "Nothing to take in" in run(bundles, "organize_artifacts.py")
    said = run(bundles, "organize_artifacts.py", "--chtc", "X.tgz", "--local", "Y.zip")
    assert "2 rows of timings_chtc -> results/tables" in said
    assert (bundles.results / "logs" / "local" / "run.log").exists()

    run(bundles, "plot_results.py")
    assert drawn(bundles) == {"scaling_species", "util_before_after"}

    run(bundles, "make_plots.py")
    assert {"wall_time_by_system", "wall_time_vs_species"} <= drawn(bundles)
    assert all((bundles.results / "figures" / f"{name}.png").stat().st_size > 5000 for name in drawn(bundles))


def test_one_bundle_alone(bundles: Project) -> None:
    run(bundles, "organize_artifacts.py", "--local", "Y.zip")

    assert (bundles.results / "tables" / "timings_local.csv").exists()
    assert not (bundles.results / "tables" / "timings_chtc.csv").exists()


def test_the_environment_goes_to_standard_output(project: Project) -> None:
    report = json.loads(run(project, "export_env.py"))

    assert list(report)[:6] == ["python", "pytorch", "cuda_available", "cuda_version", "cudnn", "devices"]
    assert report["platforms"][0]["packages"]["numpy"]


# --- what the scripts draw with ---------------------------------------------------------------------------


def test_our_own_tables_are_drawn_too(results: Path, tmp_path: Path) -> None:
    """What has no columns tag and util has no picture of them."""
    said = list(plot_results(results / "first_look" / "tables", tmp_path))

    assert "util_before_after is not drawn" in said[1]
    assert [file.name for file in tmp_path.glob("*.svg")] == ["scaling_species.svg"]


@pytest.mark.parametrize("draw", [plot_results, make_plots])
def test_without_tables(tmp_path: Path, draw: Callable[[Path, Path], Iterator[str]]) -> None:
    with pytest.raises(UserError, match="`anisweep unbundle FILE` fills results/tables"):
        list(draw(tmp_path, tmp_path))


def test_a_table_without_its_columns(tmp_path: Path) -> None:
    (tmp_path / "combined_from_metrics.csv").write_text("file,mode\na,b\n")

    with pytest.raises(UserError, match="no column wall_s, N, species"):
        list(make_plots(tmp_path, tmp_path))
