"""The benchmarks run, and what they count is right. Seconds are never judged."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest

from anisweep.artifacts.store import Store
from benchmarks import _gpu_page, _page
from clone import ROOT, Clone


def test_the_benchmarks_run_in_smoke_size(project: Clone) -> None:
    said = project.run(sys.executable, "-m", "benchmarks", "--smoke")

    for file in (project.root / "benchmarks").glob("[!_]*.py"):
        assert f"\n{file.stem}\n" in said


@pytest.fixture
def bare(tmp_path: Path) -> dict[str, str]:
    """The environment of a machine with Torch and Triton, and none of our other packages."""
    (folder := tmp_path / "packages").mkdir()
    absent = ("anis", "ase", "featomic", "metatensor", "pandas", "psutil", "pydantic", "scipy", "yaml")
    for path in Path(sysconfig.get_path("purelib")).iterdir():
        if path.suffix != ".pth" and not path.name.lower().startswith(absent):
            (folder / path.name).symlink_to(path)

    paths = os.pathsep.join(map(str, (folder, ROOT / "src", ROOT)))
    return {**os.environ, "PYTHONPATH": paths, "TRITON_INTERPRET": "1"}


def test_the_benchmark_of_a_gpu_needs_torch_and_triton_alone(bare: dict[str, str]) -> None:
    """Here Triton's interpreter is the GPU. All that is checked holds, and what is left out has a name."""
    pytest.importorskip("triton", reason="no triton")
    command = [sys.executable, "-S", "-m", "benchmarks", "--smoke", "gpu"]
    said = subprocess.run(command, cwd=ROOT, env=bare, capture_output=True, text=True, check=True).stdout

    left_out = [line for line in said.splitlines() if "left out" in line]
    assert len(left_out) == 1
    assert "torch_full: ase, anisoap, metatensor not installed" in left_out[0]
    assert "triton fp32, lmax 6, second derivatives" in said
    assert "dynamics step, triton fp32" in said


def test_the_page_of_the_gpu_shows_the_kept_figures_or_that_there_are_none() -> None:
    shown = (ROOT / _gpu_page.PAGE).read_text(encoding="utf-8")
    assert shown == _gpu_page.contents(ROOT), "write it again: python -m benchmarks._gpu_page"


def test_one_new_artifact_among_a_thousand_is_the_only_one_opened(project: Clone) -> None:
    state = project.root / "results" / ".anisweep"
    first = next(project.artifacts.glob("[!.]*.tar.gz"))
    for number in range(1000 - len(project.digests())):
        shutil.copy(first, project.artifacts / f"copy-{number}.tar.gz")

    store = Store(project.artifacts, state)
    assert len(store.entries()) == 1000
    shutil.copy(first, project.artifacts / "one-more.tar.gz")

    store = Store(project.artifacts, state)
    assert len(store.entries()) == 1001
    assert store.opened == 1


def test_the_page_and_the_front_page_show_the_kept_figures() -> None:
    for path, text in _page.contents(ROOT).items():
        assert path.read_text(encoding="utf-8") == text, "write it again: python -m benchmarks._page"
