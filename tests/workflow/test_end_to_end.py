"""The study `tiny` from its YAML to the report, and once more."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest
import yaml

from anisweep import figures
from anisweep.artifacts.columns import PackColumns
from clone import Clone

#: A file in their folder is a figure.
FIGURES = figures.names()


@pytest.fixture(scope="module")
def said(measured: Clone) -> str:
    return (measured.root / "said.txt").read_text()


def test_each_pack_is_a_line_with_its_result(said: str) -> None:
    ends = [line for line in said.splitlines() if "4 ok in " in line]

    assert len(ends) == 2
    for replicate in (1, 2):
        assert len([line for line in ends if f"several-r{replicate}-" in line]) == 1


def test_the_last_lines_name_the_answer_the_paths_the_disk_used_and_the_next_commands(said: str) -> None:
    last = "\n".join(said.splitlines()[-8:])

    for text in ("AniSOAP takes", "results/report.html", "results/tiny/tables/", " MB)", "anisweep plan"):
        assert text in last


def test_everything_is_made(measured: Clone) -> None:
    results = measured.root / "results"
    assert (results / "report.html").stat().st_size > 0
    assert len(measured.digests()) == 2

    for name in (
        "cells.parquet",
        "cells.csv",
        "summary.parquet",
        "conversion.json",
        "timings_local.csv",
        "env_report.json",
    ):
        assert (results / "tiny" / "tables" / name).stat().st_size > 0

    for figure in FIGURES:
        assert (results / "tiny" / "figures" / f"{figure}.svg").stat().st_size > 0


def test_the_resolved_configuration_is_written(measured: Clone) -> None:
    text = (measured.root / "results" / "tiny" / "configuration.yaml").read_text()
    resolved = yaml.safe_load(text)

    assert resolved["study"] == "tiny"
    assert resolved["measure"]["repetitions"] == 2
    assert resolved["measure"]["limit_s"] == 600.0  # a default
    assert resolved["hypers"]["max_angular"] == 2


def test_every_cell_is_right(measured: Clone) -> None:
    files = sorted((measured.root / "results" / ".anisweep" / "index").glob("*.arrow"))
    rows = [row for file in files for row in PackColumns.from_bytes(file.read_bytes()).rows.to_pylist()]
    cells = [row for row in rows if row["role"] == "cell"]

    assert [row["status"] for row in cells] == ["ok"] * 8
    assert len({row["key"] for row in cells}) == 8
    assert all(row["max_relative_error"] <= 1e-10 for row in cells)
    assert len([row for row in rows if row["role"] != "cell"]) == 8  # two problems, two packs, first and last


def _files(root: Path) -> dict[str, int]:
    """When each result was written; Snakemake's notes about itself do not count."""
    files = [file for name in ("results", "data") for file in (root / name).rglob("*") if file.is_file()]
    return {os.fspath(file.relative_to(root)): file.stat().st_mtime_ns for file in files}


def test_a_second_run_measures_nothing_and_says_so(project: Clone) -> None:
    project.plan()  # the index of a copied folder is made anew
    before = _files(project.root)

    said = project.snakemake()

    assert "8 cells, all measured: nothing to measure" in said
    assert _files(project.root) == before


def test_plain_snakemake_does_the_same(project: Clone) -> None:
    project.plan()
    before = _files(project.root)

    said = project.run("snakemake", "-c1", "--config", "study=tiny")

    assert "Nothing to be done" in said
    assert _files(project.root) == before


@pytest.mark.parametrize(
    ("target", "rules"),
    [
        ("measure", []),
        ("tables", ["judge_conversion", "summarise"]),
        (
            "report",
            ["draw_figures", "summarise", "write_report"],
        ),
    ],
)
def test_targets(project: Clone, target: str, rules: list[str]) -> None:
    """Each target makes what its name says, and nothing behind it."""
    results = project.root / "results"
    shutil.rmtree(results / "tiny" / "figures")
    (results / "report.html").unlink()

    for suffix in ("csv", "parquet"):
        (results / "tiny" / "tables" / f"summary.{suffix}").unlink()

    assert project.pending("--", target) == rules


def test_what_goes_wrong_in_snakemake_itself_is_said(project: Clone) -> None:
    """The local profile keeps it quiet otherwise."""
    assert "nonsense" in project.snakemake("--", "nonsense", status=1)


def test_a_figure_that_fails_is_missed_until_it_is_mended(project: Clone) -> None:
    code = "src/anisweep/figures/fidelity.py"
    project.edit(code, "    compared = summary", "    raise RuntimeError\n    compared = summary")

    for _ in range(2):
        said = project.snakemake(status=1)
        assert "RuntimeError" in said
        assert "Then run the same command again" in said

    project.edit(code, "    raise RuntimeError\n", "")
    assert "draw_figures" in project.pending()


def test_lint_finds_nothing(project: Clone) -> None:
    assert "good condition" in project.run("snakemake", "--lint")
