"""What a change makes stale, and nothing else: counted by what the plan and Snakemake would run."""

from __future__ import annotations

import os
import re
import shutil
from pathlib import Path

import pytest

from clone import Clone

TABLES = ["collect_cells", "collect_job_records", "judge_conversion", "summarise", "write_old_tables"]
AFTER_MEASURING = sorted([*TABLES, "draw_figures", "judge_claims", "write_report"])

TIMING = "src/anisweep/worker/timing.py"


def append(project: Clone, name: str, text: str) -> None:
    with (project.root / name).open("a") as stream:
        stream.write(text)


def test_what_does_not_count_makes_nothing_stale(project: Clone) -> None:
    """A comment and a docstring in worker code, a space in a rule's text, a touched artifact, no index."""
    append(project, TIMING, "\n# A comment.\n")
    project.edit("src/anisweep/worker/clock.py", '"""Measure the time', '"""Now measure the time')
    project.edit("workflow/rules/measure.smk", "anisweep run-pack {", "anisweep run-pack  {")
    os.utime(next(project.artifacts.glob("[!.]*.tar.gz")))
    shutil.rmtree(project.root / "results" / ".anisweep" / "index")

    assert project.pending() == []
    assert project.plan()["to_measure"] == []


def test_nothing_hangs_on_snakemakes_metadata(project: Clone) -> None:
    shutil.rmtree(project.root / ".snakemake" / "metadata")

    assert project.pending() == []


def test_code_of_a_figure_draws_figures(project: Clone) -> None:
    append(project, "src/anisweep/figures/fidelity.py", "\nNEW = 1\n")

    assert project.pending() == ["draw_figures", "write_report"]


@pytest.mark.parametrize(
    ("module", "made_again"),
    [
        (
            "tables/names.py",
            ["draw_figures", "judge_claims", "judge_conversion", "summarise", "write_report"],
        ),
        ("analysis/growth.py", ["draw_figures", "judge_claims", "write_report"]),
        ("report/sections/crossover.py", ["write_report"]),
        ("modes/torch_openblas.py", ["write_report"]),
        ("cluster/arrivals.py", AFTER_MEASURING),
    ],
)
def test_what_imports_a_module_is_made_again(project: Clone, module: str, made_again: list[str]) -> None:
    append(project, f"src/anisweep/{module}", "\n_NEW = 1\n")

    assert project.pending() == made_again


def test_another_claim_judges_the_claims(project: Clone) -> None:
    project.edit("config/claims/1_profiling_study.yaml", "figure: 3.6", "figure: 3.5")

    assert project.pending() == ["judge_claims", "write_report"]


def test_the_style_draws_all_figures(project: Clone) -> None:
    append(project, "src/anisweep/figures/anisweep.mplstyle", "\naxes.grid: False\n")

    assert project.pending() == ["draw_figures", "write_report"]


def test_what_is_lost_after_the_artifacts_is_made_from_them(project: Clone) -> None:
    """`make clean` removes no artifact and no data."""
    before = project.digests()
    recipe = project.run("make", "--silent", "--dry-run", "clean")
    project.run("sh", "-c", recipe)

    assert not (project.root / "results" / "report.html").exists()
    assert project.pending() == AFTER_MEASURING
    assert project.digests() == before
    assert list((project.root / "data").glob("*.xyz"))


def test_a_lost_figure_or_table_is_made_again(project: Clone) -> None:
    """Also where what is made from it is there."""
    (project.root / "results" / "tiny" / "figures" / "fidelity.svg").unlink()
    (project.root / "results" / "tiny" / "tables" / "timings_local.csv").unlink()

    assert project.pending() == ["draw_figures", "write_old_tables", "write_report"]


def test_worker_code_changes_every_cell(project: Clone) -> None:
    append(project, TIMING, "\nNEW = 1\n")

    assert project.reasons() == {"code changed: anisweep.worker.timing": 8}
    assert project.pending() == sorted([*AFTER_MEASURING, "measure_pack", "measure_pack"])


def test_code_of_a_mode_changes_its_cells(project: Clone) -> None:
    append(project, "src/anisweep/modes/fused_cpu.py", "\n_NEW = 1\n")

    assert project.reasons() == {"code changed: anisweep.modes.fused_cpu": 4}


def _raise_in_lock(project: Clone, package: str) -> str:
    """Put version 99.9 of a package into the worker's lock; returns the version that stood there."""
    lock = project.root / "envs" / "worker.txt"
    text = lock.read_text()
    found = re.search(rf"^{package}==(\S+)", text, re.MULTILINE)
    assert found is not None
    lock.write_text(text.replace(found[0], f"{package}==99.9"))
    return found[1]


def test_a_lock_that_is_not_installed_is_refused(project: Clone) -> None:
    locked = _raise_in_lock(project, "tqdm")

    said = project.run("anisweep", "plan", "study=tiny", status=1)

    assert f"tqdm: locked 99.9, installed {locked}" in said
    assert "make env" in said


def test_a_newer_package_changes_every_cell(project: Clone, tmp_path: Path) -> None:
    locked = _raise_in_lock(project, "tqdm")
    installed = tmp_path / "tqdm-99.9.dist-info" / "METADATA"
    installed.parent.mkdir()
    installed.write_text("Metadata-Version: 2.1\nName: tqdm\nVersion: 99.9\n")

    path = f"{tmp_path}:{project.root / 'src'}"
    assert project.reasons(PYTHONPATH=path) == {f"environment changed: tqdm {locked} -> 99.9": 8}


def test_settings_of_the_measurement_are_part_of_the_cell(project: Clone) -> None:
    overrides = ("measure={repetitions: 3}", "replicates=1")

    assert project.reasons(*overrides) == {"settings of the measurement changed": 4}


def test_one_more_replicate(project: Clone) -> None:
    """Its cells are measured; the tables and figures that contain it are made again; the rest stays."""
    before = project.digests()
    assert project.reasons("replicates=3") == {"new": 4}
    assert project.pending("replicates=3") == sorted([*AFTER_MEASURING, "measure_pack"])

    said = project.snakemake("replicates=3")

    assert "4 to measure in 1 pack," in said
    after = project.digests()
    assert {name: after[name] for name in before} == before
    assert len(after) == 3
    assert "3 ok" in (project.root / "results" / "tiny" / "tables" / "summary.csv").read_text()


def test_a_cell_added_gets_a_pack_of_its_own_between_fresh_references(project: Clone) -> None:
    modes = "modes=[numpy_only, fused_cpu, numpy_blas]"
    overrides = (modes, "replicates=1", "datasets={ellipsoids: {frames: 2}}")
    (added,) = project.plan(*overrides)["to_measure"]
    assert added["reason"] == "new"
    assert re.fullmatch(r"ellipsoids-r1-[0-9a-f]{12}", added["pack"])

    project.snakemake(*overrides)

    rows = project.run("tar", "-xOzf", f"results/artifacts/{added['pack']}.tar.gz", "rows.jsonl")
    assert re.findall(r'"role": "([^"]+)"', rows) == ["first reference", "cell", "last reference"]
    assert project.plan(*overrides)["to_measure"] == []
