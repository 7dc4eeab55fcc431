"""A project with one small study, and what it has measured."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

import examples
from anisweep.config.load import load_config
from anisweep.config.project import Project
from anisweep.plan import Plan, code_digest, make_plan

STUDY = """
question: Does the plan know what it does?
replicates: 2
datasets:
  ellipsoids: {frames: 2}
modes: [numpy_only, torch_full]
hypers: {max_angular: 2}
"""

Planner = Callable[..., Plan]


@pytest.fixture
def plan(project: Project) -> Planner:
    """Plans the study, with overrides as on the command line."""
    project.study_file("mine").write_text(STUDY)

    def planned(**overrides: object) -> Plan:
        return make_plan(project, *load_config(project, {"study": "mine", **overrides}))

    return planned


@pytest.fixture
def measure(project: Project, plan: Planner) -> Callable[..., list[Path]]:
    """Writes the artifacts of all that is to be measured, without measuring."""

    def measured(
        status: str = "ok", started: str = "2026-01-01T00:00:00+00:00", **overrides: object
    ) -> list[Path]:
        project.artifacts.mkdir(parents=True, exist_ok=True)
        packs = plan(**overrides).packs
        return [
            examples.write_artifact(project.artifacts, pack, status=status, started=started) for pack in packs
        ]

    return measured


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of our own source, of which code digests are taken, so that a test can change it."""
    copy = tmp_path / "anisweep"
    shutil.copytree(code_digest.PACKAGE, copy, ignore=shutil.ignore_patterns("__pycache__"))
    monkeypatch.setattr(code_digest, "PACKAGE", copy)

    # Within a run the code does not change, so its digests are remembered.
    code_digest.code_files.cache_clear()
    yield copy
    code_digest.code_files.cache_clear()
