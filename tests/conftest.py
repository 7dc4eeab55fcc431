from __future__ import annotations

import shutil
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import hypothesis
import pytest

import synthetic
from anisweep.config.project import Project

# Times depend on the machine, so none is judged.
hypothesis.settings.register_profile("anisweep", deadline=None)
hypothesis.settings.load_profile("anisweep")

# Started in the background they would ignore Ctrl-C, and with them whatever they start.
signal.signal(signal.SIGINT, signal.default_int_handler)

pytest_plugins = ["what_did_not_run"]

ROOT = Path(__file__).resolve().parents[1]
QUESTION = "How long does published AniSOAP take, and do the modes agree?"


@pytest.fixture(scope="session")
def results(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A results folder with two synthetic studies: one complete, with figures, and one with troubles."""
    from anisweep import figures, report, tables
    from anisweep.analysis.claims import write
    from anisweep.analysis.claims.claim import load_claims
    from anisweep.analysis.claims.judging import ledger
    from anisweep.figures._drawing import draw_to

    folder = tmp_path_factory.mktemp("project") / "results"
    missing = {"first_look": [], "troubled": ["benzenes coefficients lmax 6 torch_full fp64 r2"]}
    rows = {"first_look": synthetic.first_look(), "troubled": synthetic.with_troubles()}

    for study in missing:
        tables.write_all(
            rows[study], synthetic.sources(rows[study]), folder / study / "tables", missing[study]
        )

    for figure in figures.names():
        draw_to(figure, folder / "first_look" / "tables", folder / "first_look" / "figures" / figure)

    cells = tables.all_cells([folder / study / "tables" for study in missing])
    write(ledger(load_claims(Project(ROOT)), cells), folder / "claims.csv")
    shown = [
        report.Study(name, QUESTION, folder / name / "tables", folder / name / "figures") for name in missing
    ]
    report.write(shown, folder / "report.html", folder / "claims.csv")
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


@pytest.fixture
def live_in(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[str], None]]:
    """Takes a time zone, which this process then lives in until the test ends."""

    def enter(zone: str) -> None:
        monkeypatch.setenv("TZ", zone)
        time.tzset()

    yield enter
    monkeypatch.undo()
    time.tzset()
