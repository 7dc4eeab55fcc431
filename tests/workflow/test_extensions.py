"""A mode, a data set and a figure are one file each: those of the how-to pages, taken from there."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from clone import ROOT, Clone

#: page: where it says that its file goes
PAGES = {
    "add-a-mode.md": "src/anisweep/modes/numpy_optimized.py",
    "add-a-data-set.md": "src/anisweep/datasets/generators/discs.py",
    "draw-a-figure.md": "src/anisweep/figures/memory.py",
}

OVERRIDES = (
    "modes=[numpy_only, numpy_optimized]",
    "datasets={ellipsoids: {frames: 2}, discs: {frames: 1}}",
    "replicates=1",
)


def file_of(page: str, target: str) -> str:
    """The code block of a page that follows the name of its file, and is a module with a docstring."""
    text = (ROOT / "docs" / "how-to" / page).read_text()
    assert Path(target).name in text
    assert f"{Path(target).parent}/" in text

    (block,) = re.findall(r'```python\n("""(?:.*\n)*?)```', text)
    return str(block)


@pytest.fixture(scope="module")
def extended(measured: Clone, tmp_path_factory: pytest.TempPathFactory) -> Clone:
    """A project with the three files, planned; nothing else in it was touched."""
    project = measured.copy(tmp_path_factory.mktemp("extended") / "a copy")

    for page, target in PAGES.items():
        (project.root / target).write_text(file_of(page, target))
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


def test_a_mode_measures_only_its_own_cells(project: Clone) -> None:
    target = PAGES["add-a-mode.md"]
    (project.root / target).write_text(file_of("add-a-mode.md", target))

    assert project.plan()["to_measure"] == []
    assert project.reasons("modes=[numpy_only, fused_cpu, numpy_optimized]") == {"new": 4}


def test_a_figure_measures_nothing(project: Clone) -> None:
    target = PAGES["draw-a-figure.md"]
    (project.root / target).write_text(file_of("draw-a-figure.md", target))

    assert project.pending() == ["draw_figures", "write_report"]
