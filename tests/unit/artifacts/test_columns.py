"""What artifacts say as columns: read once each, the same rows as before, never believed when damaged."""

from pathlib import Path

import pandas as pd
import pytest

import examples
from anisweep import tables
from anisweep.artifacts import reading
from anisweep.artifacts import store as stores
from anisweep.artifacts.store import Store, rows_of
from anisweep.config.project import Project
from anisweep.tables import PackSource, Platform
from anisweep.workflow import studies

PACKS = 4


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Project:
    """A project whose study asks for one cell of each pack, and one that nobody has measured."""
    cells = [examples.cell(replicate=number) for number in range(1, PACKS + 1)]
    monkeypatch.setattr(studies, "study_cells", lambda *_: [*cells, examples.cell(replicate=PACKS + 1)])

    made = Project(tmp_path)
    for cell in cells:
        add(made, cell.replicate)
    return made


def add(project: Project, number: int) -> None:
    project.artifacts.mkdir(parents=True, exist_ok=True)
    cell = examples.cell(replicate=number)
    examples.write_artifact(project.artifacts, examples.pack(cell, name=f"r{number}-{cell.key[:12]}"))


@pytest.fixture
def read(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The names of the artifacts that were opened and read."""
    names: list[str] = []

    def counted(artifact: Path) -> reading.Contents:
        names.append(artifact.name)
        return reading.read(artifact)

    monkeypatch.setattr(stores, "read", counted)
    monkeypatch.setattr(stores, "SHARE", 10_000)  # all in this process
    return names


def files(project: Project) -> list[Path]:
    return sorted(project.state.glob("index/*.arrow"))


def test_one_new_artifact_is_the_only_one_that_is_read(project: Project, read: list[str]) -> None:
    rows, _, missing = studies.study_rows(project, "study")
    assert (len(rows), len(missing), len(read)) == (PACKS, 1, PACKS)

    before = {file: file.stat().st_mtime_ns for file in files(project)}
    read.clear()
    add(project, PACKS + 1)
    rows, _, missing = studies.study_rows(project, "study")

    assert (len(rows), missing) == (PACKS + 1, [])
    assert [name[:3] for name in read] == [f"r{PACKS + 1}-"]
    assert {file: file.stat().st_mtime_ns for file in files(project) if file in before} == before
    assert len(files(project)) == PACKS + 1


def test_of_a_thousand_artifacts_one_is_opened_when_it_is_new(project: Project, read: list[str]) -> None:
    for number in range(PACKS + 2, 1001):
        add(project, number)
    studies.study_rows(project, "study")
    assert len(read) == 999
    read.clear()

    add(project, 1001)
    store = Store(project.artifacts, project.state)
    assert len(store.entries()) == 1000
    assert (store.opened, len(read)) == (1, 1)

    studies.study_rows(project, "study")
    assert len(read) == 1


def test_tables_of_columns_are_those_of_rows(project: Project) -> None:
    columns, sources, missing = studies.study_rows(project, "study")
    store = Store(project.artifacts, project.state)
    rows, by_rows = [], {}

    for entry, _ in rows_of(store, studies.study_cells(project, "study")):
        contents = reading.read(store.path(entry.name))
        platform = Platform.of(contents.host, contents.environment)
        rows += contents.rows
        by_rows[entry.name] = PackSource(f"artifacts/{entry.name}.tar.gz", entry.sha256, platform)

    assert sources == by_rows
    pd.testing.assert_frame_equal(
        tables.cells_table(columns, sources, missing),
        tables.cells_table(rows, by_rows, missing),
        check_exact=True,
    )


@pytest.mark.parametrize("place", [8, -40, None])
def test_a_damaged_file_is_made_anew(project: Project, read: list[str], place: int | None) -> None:
    rows, _, _ = studies.study_rows(project, "study")
    read.clear()

    content = bytearray(files(project)[0].read_bytes())
    if place is not None:
        content[place] ^= 1
    files(project)[0].write_bytes(content if place is not None else b"")

    assert studies.study_rows(project, "study")[0].equals(rows)
    assert len(read) == 1

    read.clear()
    assert studies.study_rows(project, "study")[0].equals(rows)
    assert read == []


def test_columns_that_cannot_be_written_are_given_all_the_same(project: Project, read: list[str]) -> None:
    rows, _, _ = studies.study_rows(project, "study")
    for file in files(project):
        file.unlink()
        file.mkdir()

    read.clear()
    assert studies.study_rows(project, "study")[0].equals(rows)
    assert len(read) == PACKS
