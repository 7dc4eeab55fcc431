from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

import anisweep

HOW_TO = Path(__file__).parents[2] / "docs" / "how-to" / "draw-a-figure.md"


def blocks(page: Path) -> list[str]:
    return [part.split("```")[0] for part in page.read_text().split("```python\n")[1:]]


def test_load(results: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It works from the project's folder and from any below it."""
    monkeypatch.chdir(results / "troubled")
    cells = anisweep.load("troubled")

    assert len(cells) == 18 * 4 + 6 * 4 + 6 * 2 + 36
    assert cells.attrs["missing"] == ["benzenes coefficients lmax 6 torch_full fp64 r2"]


def test_an_unknown_study(results: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(results.parent)

    with pytest.raises(
        FileNotFoundError, match=r"'fist_look'.*first_look, troubled.*make run STUDY=fist_look"
    ):
        anisweep.load("fist_look")


def test_importing_the_package_is_light() -> None:
    code = "import anisweep, sys; print([m for m in ('pandas', 'numpy', 'matplotlib') if m in sys.modules])"
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert said.stdout.strip() == "[]"


def test_the_how_to_draws(results: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its first block is run as it is printed, in a project's folder."""
    (tmp_path / "results").symlink_to(results)
    monkeypatch.chdir(tmp_path)
    exec(compile(blocks(HOW_TO)[0], str(HOW_TO), "exec"), {})

    assert (tmp_path / "wall_time.png").stat().st_size > 5000


def test_the_new_figure_of_the_how_to_draws(results: Path) -> None:
    from anisweep import tables
    from anisweep.figures import NothingToDraw

    module: dict[str, object] = {}
    exec(compile(blocks(HOW_TO)[1], str(HOW_TO), "exec"), module)
    folder = results / "first_look" / "tables"
    cells, summary = tables.read(folder, "cells"), tables.read(folder, "summary")

    assert module["draw"](cells, summary).axes[0].get_xlabel()
    with pytest.raises(NothingToDraw):
        module["draw"](cells.iloc[:0], summary.iloc[:0])
