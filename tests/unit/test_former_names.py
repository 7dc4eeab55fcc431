"""What the former version wrote is read by the names that things have now; users are told the new ones."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest
import yaml
from click.testing import CliRunner

import examples
import synthetic
from anisweep import former_names, tables
from anisweep.artifacts.reading import read
from anisweep.cell import Pack
from anisweep.cli import main
from anisweep.config.load import load_config, load_study
from anisweep.config.project import Project
from anisweep.tables.old_rows import OldRow, old_rows_table, read_old_rows, write_old_rows

STUDY = {"question": "Why?", "datasets": {"ellipsoids": {}}, "modes": ["numpy_only"]}


@pytest.fixture(autouse=True)
def _say_it_again() -> None:
    former_names.warn.cache_clear()


def test_a_pack() -> None:
    pack = examples.pack()
    before = pack.to_json().replace('"reference"', '"anchor"')

    assert before != pack.to_json()
    assert Pack.from_json(before) == pack


def test_an_artifact(tmp_path: Path) -> None:
    target = examples.write_artifact(tmp_path / "artifacts", examples.pack())
    members = examples.members_of(target)
    rows = members["rows.jsonl"].replace(b'"role": "cell"', b'"role": "last anchor"')
    pack = members["pack.json"].replace(b'"reference"', b'"anchor"')
    before = examples.consistent(members, "pack.json", pack)
    examples.rewrite(target, examples.consistent(before, "rows.jsonl", members["rows.jsonl"] + rows))

    contents = read(target)

    assert contents.pack.reference == "numpy_only"
    assert [row.role for row in contents.rows] == ["cell", "last reference"]


def test_tables(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = tmp_path / "mine" / "tables"
    rows = synthetic.first_look()
    tables.write_all(rows, synthetic.sources(rows), folder)
    written = {name: tables.read(folder, name) for name in ("cells", "summary")}
    roles = {name: former for former, name in former_names.ROLES.items()}
    cells, summary = written["cells"], written["summary"]
    cells.assign(role=cells["role"].replace(roles)).to_parquet(folder / "cells.parquet", index=False)
    summary.rename(columns={"reference": "anchor"}).to_parquet(folder / "summary.parquet", index=False)

    for name, table in written.items():
        pd.testing.assert_frame_equal(tables.read(folder, name), table)

    said = capsys.readouterr().err
    assert "summary.parquet: the column anchor is called reference now" in said
    assert "first anchor, in the column role, is called first reference now" in said


def test_a_key_of_a_study(project: Project, capsys: pytest.CaptureFixture[str]) -> None:
    project.study_file("mine").write_text(yaml.safe_dump({**STUDY, "anchor": "torch_full"}))

    assert load_study(project, "mine", "small").reference == "torch_full"
    assert "config/studies/mine.yaml: the key anchor is called reference now" in capsys.readouterr().err


def test_a_key_on_the_command_line(project: Project, capsys: pytest.CaptureFixture[str]) -> None:
    _, studies = load_config(project, {"study": "first_look", "anchor": "torch_full"})

    assert studies["first_look"].reference == "torch_full"
    assert "the key anchor is called reference now" in capsys.readouterr().err


def test_a_command(project: Project) -> None:
    former = CliRunner().invoke(main, ["ingest", "absent.tgz"])
    said = CliRunner().invoke(main, ["unbundle", "absent.tgz"])

    warning, *rest = former.output.splitlines()
    assert "this command is called anisweep unbundle now" in warning
    assert (former.exit_code, rest) == (said.exit_code, said.output.splitlines())


def test_rows_of_old_bundles(tmp_path: Path) -> None:
    folder = tmp_path / "results" / "tables"
    write_old_rows(old_rows_table([OldRow(bundle="x.tgz")]), folder)
    written = read_old_rows(folder)
    (folder / "old_rows.parquet").rename(folder / "ingested.parquet")

    pd.testing.assert_frame_equal(read_old_rows(folder), written)
