"""The benchmarks run, and what they count is right. Seconds are never judged."""

from __future__ import annotations

import shutil
import sys

from anisweep.artifacts.store import Store
from benchmarks import _page
from clone import ROOT, Clone


def test_the_benchmarks_run_in_smoke_size(project: Clone) -> None:
    said = project.run(sys.executable, "-m", "benchmarks", "--smoke")

    for file in (project.root / "benchmarks").glob("[!_]*.py"):
        assert f"\n{file.stem}\n" in said


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
