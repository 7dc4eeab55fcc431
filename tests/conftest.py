from __future__ import annotations

import shutil
from pathlib import Path

import hypothesis
import pytest

import synthetic
from anisweep.config import Project

# Times depend on the machine, so none is judged.
hypothesis.settings.register_profile("anisweep", deadline=None)
hypothesis.settings.load_profile("anisweep")

pytest_plugins = ["what_did_not_run"]

ROOT = Path(__file__).resolve().parents[1]
QUESTION = "How long does published AniSOAP take, and do the modes agree?"


@pytest.fixture(scope="session")
def results(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A results folder with two synthetic studies: one complete, with figures, and one with troubles."""
    from anisweep import claims, figures, report, tables

    folder = tmp_path_factory.mktemp("project") / "results"
    missing = {"first_look": [], "troubled": ["benzenes coefficients lmax 6 torch_full fp64 r2"]}
    rows = {"first_look": synthetic.first_look(), "troubled": synthetic.with_troubles()}

    for study in missing:
        tables.write_all(
            rows[study], synthetic.sources(rows[study]), folder / study / "tables", missing[study]
        )

    for figure in figures.names():
        figures.draw_to(figure, folder / "first_look" / "tables", folder / "first_look" / "figures" / figure)

    cells = tables.all_cells([folder / study / "tables" for study in missing])
    claims.write(claims.ledger(claims.load_claims(Project(ROOT)), cells), folder / "claims.csv")
    report.write([report.Study(name, QUESTION, folder / name) for name in missing], folder / "report.html")
    return folder


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Project:
    """A project of its own: Snakefile, rules, locks and configuration, with no data and no results."""
    root = tmp_path / "project"
    root.mkdir()
    shutil.copy(ROOT / "Snakefile", root)

    for folder in ("config", "containers", "envs", "workflow"):
        shutil.copytree(ROOT / folder, root / folder)
    shutil.copytree(ROOT / "condor" / "chtc", root / "condor" / "chtc")
    shutil.copy(ROOT / "condor" / "site.yaml", root / "condor")

    monkeypatch.chdir(root)
    monkeypatch.setenv("ANISWEEP_PROJECT", str(root))
    monkeypatch.delenv("ANISWEEP_CONTROLLER", raising=False)
    return Project(root)
