"""A bundle of our own: what goes out comes back, to the byte."""

from __future__ import annotations

import json
import re
from dataclasses import asdict, replace
from pathlib import Path

import pytest
from click.testing import CliRunner

import examples
from anisweep import artifact, tables
from anisweep.cell import Cell, Pack
from anisweep.cli import main
from anisweep.config import Project
from anisweep.ingest import ingest
from anisweep.studies import study_rows
from anisweep.worker.rows import row_of
from study_bundles import tgz

HOST = {**examples.HOST, "system": "Linux", "cpus": 2, "memory_mb": 4096}
JOURNEY = tables.PackJourney(
    pack="",
    site="chtc",
    batch="b1",
    job="7.0",
    end="sound",
    host="e1",
    slot="slot1",
    attempts=2,
    queued_s=1.5,
    run_s=None,
    measured_s=0.1 + 0.2,
    sent_mb=0.3,
    received_mb=1.0,
    submitted=1.7e9,
    ended=None,
    holds=('memory, in "MB"\nmore',),
)
QUESTION = "question: What goes out?\n"


@pytest.fixture
def study(project: Project) -> Project:
    """A study of two replicates and two modes, with tables, a log and a picture."""
    cells = [examples.cell(mode=m, replicate=r) for r in (1, 2) for m in ("numpy_only", "fused_cpu")]
    folder = project.results / "mine"
    folder.mkdir(parents=True)
    (folder / "cells.json").write_text(json.dumps([asdict(cell) for cell in cells]))
    (folder / "configuration.yaml").write_text(QUESTION)

    for replicate in (1, 2):
        _write_pack(project, [cell for cell in cells if cell.replicate == replicate])

    _write_tables(project, "mine")
    (folder / "figures").mkdir()
    (folder / "figures" / "fidelity.svg").write_text("<svg/>")
    return project


def _write_pack(project: Project, cells: list[Cell]) -> None:
    name = f"ellipsoids-r{cells[0].replicate}-{cells[0].key[:12]}"
    pack = examples.pack(*cells, name=name)
    work = examples.fill(project.root / "work" / name, pack)
    (work / "host.json").write_text(json.dumps(HOST))
    (work / "environment.json").write_text(json.dumps({"versions": {"python": "3.11.2"}}))
    (work / "rows.jsonl").write_text("".join(json.dumps(row.to_plain()) + "\n" for row in _rows(pack)))

    target = project.artifacts / f"{name}.tar.gz"
    artifact.write(work, target)
    artifact.kept_link(target).unlink()
    (project.results / "logs").mkdir(exist_ok=True)
    (project.results / "logs" / f"{name}.log").write_text("2 ok\n")


def _rows(pack: Pack):
    for k, cell in enumerate(pack.cells):
        wall = 0.1 / (1 + k) + 0.01 * cell.replicate
        known = {"particles": 82, "species": 1, "pairs": 668, "conv_in_s": 0.003, "conv_out_s": 0.001}
        times = {"wall_s": wall, "seconds": 9 * wall, "resident_mb": 700.5, "host": "bench-01"}
        yield replace(row_of(pack, "cell", cell), status="ok", order=k, **known, **times)


def _write_tables(project: Project, name: str) -> None:
    rows, sources, missing = study_rows(project, name)
    folder = project.results / name / "tables"
    tables.write_all(rows, sources, folder, missing)
    tables.write_journeys([replace(JOURNEY, pack=rows[0].pack)], folder)


def files(folder: Path) -> dict[str, bytes]:
    return {str(f.relative_to(folder)): f.read_bytes() for f in sorted(folder.rglob("*")) if f.is_file()}


def emptied(project: Project) -> dict[str, bytes]:
    """Move the results away, as on another machine; returns what they held."""
    before = files(project.results)
    project.results.rename(project.root / "away")
    return before


@pytest.mark.parametrize("suffix", ["tgz", "zip"])
def test_what_goes_out_comes_back(study: Project, tmp_path: Path, suffix: str) -> None:
    """Artifacts, every table, the configuration: equal to the byte."""
    file = tmp_path / f"mine.{suffix}"
    said = CliRunner().invoke(main, ["bundle", "mine", str(file)])
    assert said.exit_code == 0, said.output
    before = emptied(study)

    outcome = ingest(study, file, "chtc")

    assert outcome.refused == []
    after = files(study.results)
    compared = [name for name in before if name.startswith(("mine/tables/", "artifacts/", "logs/"))]
    assert len(compared) >= 2 + 2 + 12
    assert {name: after.get(name) for name in compared} == {name: before[name] for name in compared}
    assert after["mine/configuration.yaml"] == QUESTION.encode()
    assert outcome.taken is not None
    assert outcome.taken.passed == outcome.taken.checked == 7
    assert {name for name in after if name.startswith("tables/")} == {"tables/bundles.csv"}


def test_a_bundle_whose_tables_its_artifacts_do_not_give(study: Project, tmp_path: Path) -> None:
    """Found when it is written, and the claim about bundles is refuted."""
    table = study.results / "mine" / "tables" / "timings_local.csv"
    table.write_text(table.read_text().replace("0.1", "0.2"))
    said = CliRunner().invoke(main, ["bundle", "mine", str(tmp_path / "mine.tgz")])

    assert said.exit_code == 0, said.output
    assert "its artifacts give 6 of its 7 tables again.\n  differ: timings_local.csv." in said.output

    verdicts = CliRunner().invoke(main, ["claims"]).output
    assert re.search(r"refuted +0.857 +claimed exactly 1 +ingesting a bundle reproduces", verdicts)


def test_what_the_cluster_did_stays_when_tables_are_collected_again(study: Project, tmp_path: Path) -> None:
    """No artifact holds it, and the next run collects the tables from artifacts."""
    CliRunner().invoke(main, ["bundle", "mine", str(tmp_path / "mine.tgz")])
    before = emptied(study)
    ingest(study, tmp_path / "mine.tgz", "chtc")

    said = CliRunner().invoke(main, ["tables", "journeys", "mine"])

    assert said.exit_code == 0, said.output
    assert (study.results / "mine" / "tables" / "journeys.csv").read_bytes() == before[
        "mine/tables/journeys.csv"
    ]
    assert b"ellipsoids-r1" in before["mine/tables/journeys.csv"]


def test_a_study_that_is_here_learns_what_the_cluster_did(study: Project, tmp_path: Path) -> None:
    CliRunner().invoke(main, ["bundle", "mine", str(tmp_path / "mine.tgz")])
    journeys = (study.results / "mine" / "tables" / "journeys.csv").read_bytes()
    CliRunner().invoke(main, ["tables", "journeys", "mine"])
    assert (study.results / "mine" / "tables" / "journeys.csv").read_bytes() != journeys

    ingest(study, tmp_path / "mine.tgz", "chtc")
    CliRunner().invoke(main, ["tables", "journeys", "mine"])

    assert (study.results / "mine" / "tables" / "journeys.csv").read_bytes() == journeys


def test_old_scripts_find_the_old_names(study: Project, tmp_path: Path) -> None:
    """As plain files in the bundle; and as an old bundle, these give the same tables again."""
    CliRunner().invoke(main, ["bundle", "mine", str(tmp_path / "mine.tgz")])
    members = examples.members_of(tmp_path / "mine.tgz")
    old = {name: content.decode() for name, content in members.items() if name.startswith("results/")}
    assert {"results/timings_local.csv", "results/timings.csv", "results/env_report.json"} <= set(old)

    ingest(study, tgz(tmp_path / "old.tgz", old), "local")

    for name in ("timings_local.csv", "summary_local.csv", "timings.csv", "combined_from_metrics.csv"):
        assert (study.results / "tables" / name).read_text() == old[f"results/{name}"], name


def test_a_damaged_artifact_is_refused_and_the_others_are_taken(study: Project, tmp_path: Path) -> None:
    first, second = sorted(study.artifacts.glob("[!.]*.tar.gz"))
    examples.overwrite(first, first.read_bytes()[:-20] + bytes(20))
    file = _bundle_of(study, tmp_path, first, second)
    emptied(study)

    outcome = ingest(study, file, "chtc")

    assert [path.name for path in study.artifacts.glob("[!.]*.tar.gz")] == [second.name]
    assert outcome.refused[0].name == f"artifacts/{first.name}"
    assert not list(study.artifacts.glob(".*.tar.gz.*"))


def _bundle_of(study: Project, tmp_path: Path, *artifacts: Path) -> Path:
    members = {"bundle.json": b'{"format": 1, "study": "mine"}'}
    members |= {f"artifacts/{path.name}": path.read_bytes() for path in artifacts}
    (tmp_path / "mine.tgz").touch()
    examples.rewrite(tmp_path / "mine.tgz", members)
    return tmp_path / "mine.tgz"


def test_an_artifact_is_never_overwritten(study: Project, tmp_path: Path) -> None:
    first, second = sorted(study.artifacts.glob("[!.]*.tar.gz"))
    mine = _bundle_of(study, tmp_path, first)
    theirs = second.read_bytes()
    first.unlink()
    first.write_bytes(theirs)

    outcome = ingest(study, mine, "chtc")

    assert first.read_bytes() == theirs
    assert "another artifact of this name is there" in outcome.refused[0].why


def test_an_artifact_under_a_wrong_name(study: Project, tmp_path: Path) -> None:
    first, second = sorted(study.artifacts.glob("[!.]*.tar.gz"))
    second.rename(tmp_path / "second")
    first.rename(second)

    outcome = ingest(study, _moved(study, _bundle_of(study, tmp_path, second)), "chtc")
    assert "the artifact of another pack" in outcome.refused[0].why


def _moved(study: Project, file: Path) -> Path:
    emptied(study)
    return file


@pytest.mark.parametrize(
    ("manifest", "why"),
    [
        ('{"format": 1, "study": "../evil"}', "no name of a study"),
        ('{"format": 1, "study": "artifacts"}', "no name of a study"),
        ('{"format": 9, "study": "mine"}', "this version reads 1"),
        ("{", "cannot be understood"),
        ("[]", "cannot be understood"),
    ],
)
def test_wrong_manifests(project: Project, tmp_path: Path, manifest: str, why: str) -> None:
    outcome = ingest(project, tgz(tmp_path / "x.tgz", {"bundle.json": manifest}), "chtc")

    assert why in outcome.refused[0].why
    assert not project.results.exists()


def test_a_study_that_is_here_keeps_its_configuration(study: Project, tmp_path: Path) -> None:
    CliRunner().invoke(main, ["bundle", "mine", str(tmp_path / "mine.tgz")])
    (study.results / "mine" / "configuration.yaml").write_text("question: My own?\n")

    outcome = ingest(study, tmp_path / "mine.tgz", "chtc")

    assert outcome.refused == []
    assert (study.results / "mine" / "configuration.yaml").read_text() == "question: My own?\n"


@pytest.mark.parametrize(
    ("name", "file", "why"),
    [
        ("other", "x.tgz", "`make run STUDY=other` runs it"),
        ("mine", "x.rar", "names that end in .tgz, .tar.gz or .zip"),
        ("mine", "there.zip", "exists. Allowed: a new name"),
    ],
)
def test_bundles_that_cannot_be_written(
    study: Project, tmp_path: Path, name: str, file: str, why: str
) -> None:
    (tmp_path / "there.zip").touch()
    said = CliRunner().invoke(main, ["bundle", name, str(tmp_path / file)])

    assert said.exit_code == 1
    assert why in said.output
