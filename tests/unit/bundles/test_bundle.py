"""A bundle of our own: what goes out comes back, to the byte."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

import examples
from anisweep import tables
from anisweep.artifacts import writing
from anisweep.bundles import restore, unbundle
from anisweep.cell import Cell, Pack
from anisweep.cli import main
from anisweep.config.project import Project
from anisweep.worker.rows import row_of
from anisweep.workflow.studies import study_rows
from study_bundles import tgz

HOST = {**examples.HOST, "system": "Linux", "cpus": 2, "memory_mb": 4096}
JOB_RECORD = tables.PackJobRecord(
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
STUDY_FILES = {
    "cells.json": "cells.json",
    "configuration.yaml": "configuration.yaml",
    "job_records.csv": "tables/job_records.csv",
}
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
    (work / "environment.json").write_text(
        json.dumps({"digest": "the lock", "versions": {"python": "3.11.2"}})
    )
    (work / "rows.jsonl").write_text("".join(json.dumps(row.to_plain()) + "\n" for row in _rows(pack)))

    target = project.artifacts / f"{name}.tar.gz"
    writing.write(work, target)
    writing.kept_link(target).unlink()
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
    tables.write_job_records([replace(JOB_RECORD, pack=rows["pack"][0].as_py())], folder)


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

    outcome = unbundle(study, file, "chtc")

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
    unbundle(study, tmp_path / "mine.tgz", "chtc")

    said = CliRunner().invoke(main, ["tables", "job_records", "mine", str(study.tables("mine"))])

    assert said.exit_code == 0, said.output
    assert (study.results / "mine" / "tables" / "job_records.csv").read_bytes() == before[
        "mine/tables/job_records.csv"
    ]
    assert b"ellipsoids-r1" in before["mine/tables/job_records.csv"]


def test_a_bundle_of_the_former_version_is_taken(study: Project, tmp_path: Path) -> None:
    """It calls the job records otherwise."""
    records = (study.results / "mine" / "tables" / "job_records.csv").read_bytes()
    bundle = _bundle_of(study, tmp_path / "mine.tgz", *study.artifacts.glob("[!.]*.tar.gz"))
    members = examples.members_of(bundle)
    members["study/journeys.csv"] = members.pop("study/job_records.csv")
    examples.rewrite(bundle, members)
    emptied(study)

    assert unbundle(study, bundle, "chtc").refused == []

    assert (study.results / "mine" / "tables" / "job_records.csv").read_bytes() == records


def test_a_study_that_is_here_learns_what_the_cluster_did(study: Project, tmp_path: Path) -> None:
    CliRunner().invoke(main, ["bundle", "mine", str(tmp_path / "mine.tgz")])
    job_records = (study.results / "mine" / "tables" / "job_records.csv").read_bytes()
    CliRunner().invoke(main, ["tables", "job_records", "mine", str(study.tables("mine"))])
    assert (study.results / "mine" / "tables" / "job_records.csv").read_bytes() != job_records

    unbundle(study, tmp_path / "mine.tgz", "chtc")
    CliRunner().invoke(main, ["tables", "job_records", "mine", str(study.tables("mine"))])

    assert (study.results / "mine" / "tables" / "job_records.csv").read_bytes() == job_records


def test_old_scripts_find_the_old_names(study: Project, tmp_path: Path) -> None:
    """As plain files in the bundle; and as an old bundle, these give the same tables again."""
    CliRunner().invoke(main, ["bundle", "mine", str(tmp_path / "mine.tgz")])
    members = examples.members_of(tmp_path / "mine.tgz")
    old = {name: content.decode() for name, content in members.items() if name.startswith("results/")}
    assert {"results/timings_local.csv", "results/timings.csv", "results/env_report.json"} <= set(old)

    unbundle(study, tgz(tmp_path / "old.tgz", old), "local")

    for name in ("timings_local.csv", "summary_local.csv", "timings.csv", "combined_from_metrics.csv"):
        assert (study.results / "tables" / name).read_text() == old[f"results/{name}"], name


def cut(artifact: Path) -> None:
    examples.overwrite(artifact, artifact.read_bytes()[:-20] + bytes(20))


def without_a_host(artifact: Path) -> None:
    examples.rewrite(artifact, examples.consistent(examples.members_of(artifact), "host.json", b"{}"))


def with_nan(artifact: Path) -> None:
    members = examples.members_of(artifact)
    pack = members["pack.json"].replace(b'"cutoff_radius": 7.0', b'"cutoff_radius": NaN')
    examples.rewrite(artifact, examples.consistent(members, "pack.json", pack))


@pytest.mark.parametrize("harm", [cut, without_a_host, with_nan])
def test_a_bundle_with_a_damaged_artifact_leaves_nothing_and_the_right_one_is_taken(
    study: Project, tmp_path: Path, harm: Callable[[Path], None]
) -> None:
    first, second = sorted(study.artifacts.glob("[!.]*.tar.gz"))
    right = _bundle_of(study, tmp_path / "right.tgz", first, second)
    harm(first)
    wrong = _bundle_of(study, tmp_path / "wrong.tgz", first, second)
    emptied(study)

    outcome = unbundle(study, wrong, "chtc")

    assert not outcome.useful
    assert outcome.refused[0].name == f"artifacts/{first.name}"
    assert files(study.results) == {}

    outcome = unbundle(study, right, "chtc")
    assert (outcome.refused, len(list(study.artifacts.glob("[!.]*.tar.gz")))) == ([], 2)


def test_what_cannot_be_finished_leaves_nothing(
    study: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A disk that is full when the tables are written."""
    bundle = _bundle_of(study, tmp_path / "mine.tgz", *study.artifacts.glob("[!.]*.tar.gz"))
    emptied(study)

    def rows(project: Project, name: str, real: Any = restore.study_rows) -> Any:
        if project == study:
            raise OSError(28, "No space left on device")
        return real(project, name)

    monkeypatch.setattr(restore, "study_rows", rows)
    with pytest.raises(OSError, match="No space left"):
        unbundle(study, bundle, "chtc")

    monkeypatch.undo()
    assert [name for name in files(study.results) if not name.startswith(".anisweep/")] == []
    assert unbundle(study, bundle, "chtc").refused == []


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("cells.json", b"[{}]"),
        ("cells.json", b"{}"),
        ("cells.json", b"\xff"),
        ("configuration.yaml", b"question: 2020-13-45"),
        ("configuration.yaml", b"question: [a]"),
        ("job_records.csv", b"pack,site\nx,y\n"),
        ("job_records.csv", b"\xff"),
    ],
)
def test_files_of_a_study_that_nobody_can_read(
    study: Project, tmp_path: Path, name: str, content: bytes
) -> None:
    artifacts = study.artifacts.glob("[!.]*.tar.gz")
    bundle = _bundle_of(study, tmp_path / "mine.tgz", *artifacts, **{name: content})
    emptied(study)

    outcome = unbundle(study, bundle, "chtc")

    assert "cannot be understood" in outcome.render()
    assert files(study.results) == {}


def _bundle_of(study: Project, file: Path, *artifacts: Path, **other: bytes) -> Path:
    folder = study.results / "mine"
    members = {"bundle.json": b'{"format": 1, "study": "mine"}'}
    members |= {f"artifacts/{path.name}": path.read_bytes() for path in artifacts}
    for name, place in STUDY_FILES.items():
        members[f"study/{name}"] = other.get(name, (folder / place).read_bytes())
    file.touch()
    examples.rewrite(file, members)
    return file


def test_an_artifact_is_never_overwritten(study: Project, tmp_path: Path) -> None:
    first, second = sorted(study.artifacts.glob("[!.]*.tar.gz"))
    mine = _bundle_of(study, tmp_path / "mine.tgz", first)
    theirs = second.read_bytes()
    first.unlink()
    first.write_bytes(theirs)

    outcome = unbundle(study, mine, "chtc")

    assert first.read_bytes() == theirs
    assert "another artifact of this name is there" in outcome.refused[0].why


def test_an_artifact_under_a_wrong_name(study: Project, tmp_path: Path) -> None:
    first, second = sorted(study.artifacts.glob("[!.]*.tar.gz"))
    second.rename(tmp_path / "second")
    first.rename(second)

    bundle = _bundle_of(study, tmp_path / "mine.tgz", second)
    emptied(study)

    outcome = unbundle(study, bundle, "chtc")
    assert "the artifact of another pack" in outcome.refused[0].why


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
    outcome = unbundle(project, tgz(tmp_path / "x.tgz", {"bundle.json": manifest}), "chtc")

    assert why in outcome.refused[0].why
    assert not project.results.exists()


def test_a_study_that_is_here_keeps_its_configuration(study: Project, tmp_path: Path) -> None:
    CliRunner().invoke(main, ["bundle", "mine", str(tmp_path / "mine.tgz")])
    (study.results / "mine" / "configuration.yaml").write_text("question: My own?\n")

    outcome = unbundle(study, tmp_path / "mine.tgz", "chtc")

    assert outcome.refused == []
    assert (study.results / "mine" / "configuration.yaml").read_text() == "question: My own?\n"


@pytest.mark.parametrize(
    ("name", "file", "why"),
    [
        ("other", "x.tgz", "studies that have been run (mine)"),
        ("/dev/null", "x.tgz", "studies that have been run (mine)"),
        ("../results/mine", "x.tgz", "studies that have been run (mine)"),
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
