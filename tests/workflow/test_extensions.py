"""What is one file each: those of the how-to pages, taken from there."""

from __future__ import annotations

import re

import pandas as pd
import pytest

from clone import ROOT, Clone

SOURCE = "src/anisweep"
MODE = f"{SOURCE}/modes/numpy_optimized.py"
DATA_SET = f"{SOURCE}/datasets/generators/discs.py"
FIGURE = f"{SOURCE}/figures/memory.py"
ANALYSIS = f"{SOURCE}/analysis/memory.py"
SECTION = f"{SOURCE}/report/sections/memory.py"
QUANTITY = f"{SOURCE}/analysis/claims/quantities/memory.py"
TASK = f"{SOURCE}/tasks/frames_at_once.py"
STUDY = "config/studies/frames_at_once.yaml"
FORMAT = f"{SOURCE}/datasets/user_files/readers/csv.py"

#: Each file, and the page that says so.
PAGES = {
    MODE: "add-a-mode.md",
    DATA_SET: "add-a-data-set.md",
    FIGURE: "draw-a-figure.md",
    ANALYSIS: "add-an-analysis.md",
    SECTION: "add-an-analysis.md",
    QUANTITY: "add-a-claim.md",
    FORMAT: "add-a-file-format.md",
    TASK: "add-a-task.md",
    STUDY: "add-a-task.md",
}

CLAIM = """\
source: My paper, 2026
tables:
  table_1:
    rows_there: 1
    rows:
      memory:
        row: The reference needs little memory
        claims:
          - says: numpy_only grows by less than a terabyte
            at_most: 1.0e+6
            conditions: {mode: numpy_only}
            measure: {quantity: memory}
"""

PARTICLES = """\
frame,species,x,y,z,c_diameter[1],c_diameter[2],c_diameter[3]
0,C,0.0,0.0,0.0,3.0,3.0,1.0
0,C,4.0,0.0,0.0,3.0,3.0,1.0
1,O,0.0,0.0,0.0,3.0,3.0,1.0
"""

OVERRIDES = (
    "modes=[numpy_only, numpy_optimized]",
    "datasets={ellipsoids: {frames: 2}, discs: {frames: 1}}",
    "replicates=1",
)


def add(project: Clone, *targets: str) -> None:
    """Save the files of the pages as these say: a module that follows the name of its file."""
    for target in targets:
        text = (ROOT / "docs" / "how-to" / PAGES[target]).read_text()
        after = re.split(rf"as\s`{re.escape(target)}`", text)[1]
        found = re.search(r'```(?:python|yaml)\n((?:"""|question)(?:.*\n)*?)```', after)
        assert found
        (project.root / target).write_text(found[1])


@pytest.fixture(scope="module")
def extended(measured: Clone, tmp_path_factory: pytest.TempPathFactory) -> Clone:
    """A project with all these files; nothing else in it was touched."""
    project = measured.copy(tmp_path_factory.mktemp("extended") / "a copy")
    add(project, *PAGES)
    return project


def test_each_is_planned_measured_and_shown(extended: Clone) -> None:
    reasons = {cell["cell"]: cell["reason"] for cell in extended.plan(*OVERRIDES)["to_measure"]}
    assert reasons == {
        "ellipsoids coefficients lmax 2 numpy_optimized fp64 r1": "new",
        "discs coefficients lmax 2 numpy_only fp64 r1": "new",
        "discs coefficients lmax 2 numpy_optimized fp64 r1": "new",
    }

    extended.snakemake(*OVERRIDES)

    results = extended.root / "results"
    summary = (results / "tiny" / "tables" / "summary.csv").read_text()
    report = (results / "report.html").read_text()
    times = (results / "tiny" / "figures" / "wall_time_by_system.svg").read_text()

    for name in ("numpy_optimized", "discs"):
        assert name in summary
        assert re.search(name.replace("_", "[_ ]"), report)
        assert re.search(name.replace("_", "[_ ]"), times)

    assert summary.count("1 ok") == 4
    assert "memory / MB" in (results / "tiny" / "figures" / "memory.svg").read_text()
    assert "Largest growth of resident memory" in report
    _, _, section = report.partition("<summary>How much memory a mode needs</summary>")
    assert "numpy_optimized" in section.partition("</details>")[0]


def test_a_task_is_a_study_of_its_own(extended: Clone) -> None:
    extended.snakemake("study=frames_at_once")

    results = extended.root / "results"
    cells = pd.read_csv(results / "frames_at_once" / "tables" / "cells.csv")
    cells = cells[cells["role"] == "cell"].set_index("mode")
    assert set(cells["output"]) == {"frames_at_once"}
    assert set(cells["status"]) == {"ok"}
    assert cells["max_relative_error"].max() <= 1e-12
    assert cells["result_calls"].to_dict() == {
        "frames_at_once.one_by_one": 16,
        "frames_at_once.together": 1,
    }

    report = (results / "report.html").read_text()
    _, _, section = report.partition("<summary>What the task found</summary>")
    assert "calls of the projection" in section.partition("</details>")[0]


def test_a_mode_measures_only_its_own_cells(project: Clone) -> None:
    add(project, MODE)

    assert project.plan()["to_measure"] == []
    assert project.reasons("modes=[numpy_only, fused_cpu, numpy_optimized]") == {"new": 4}


def test_a_figure_measures_nothing(project: Clone) -> None:
    add(project, FIGURE)

    assert project.pending() == ["draw_figures", "write_report"]


def test_an_analysis_with_its_section_writes_the_report(project: Clone) -> None:
    add(project, ANALYSIS, SECTION)

    assert project.pending() == ["write_report"]


def test_a_quantity_judges_the_claims(project: Clone) -> None:
    add(project, QUANTITY)
    (project.root / "config" / "claims" / "9_my_paper.yaml").write_text(CLAIM)

    assert project.pending() == ["judge_claims", "write_report"]
    said = project.run("anisweep", "claims")
    assert re.search(r"(confirmed|inconclusive) +\d.* numpy_only grows by less than a terabyte", said)


def test_a_format_is_read(project: Clone) -> None:
    add(project, FORMAT)
    (project.root / "mine.csv").write_text(PARTICLES)

    said = project.run("anisweep", "inspect", "mine.csv")
    assert re.search(r"frames +2,", said)
