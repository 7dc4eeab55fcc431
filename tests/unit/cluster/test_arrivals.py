"""Artifacts that arrive are read once: what they say is in the index before anyone lists them."""

from pathlib import Path

import pytest

import examples
from anisweep.artifacts.store import Store
from anisweep.cluster.arrivals import accept
from anisweep.config.project import Project


def arrive(project: Project, **options: str) -> Store:
    """Let an artifact arrive, and return a store that has opened nothing yet."""
    project.artifacts.mkdir(parents=True, exist_ok=True)
    arrived = examples.write_artifact(project.root / "inbox", examples.pack(examples.cell()), **options)
    accept(arrived, project.artifacts / arrived.name)
    return Store(project.artifacts, project.state)


def test_what_arrived_is_not_opened_again(tmp_path: Path) -> None:
    project = Project(tmp_path)
    store = arrive(project)
    [entry] = store.entries()
    rows = store.rows(entry.name)
    assert store.opened == 0

    anew = Store(project.artifacts, tmp_path / "elsewhere")
    assert anew.entries() == [entry]
    assert anew.rows(entry.name) == rows
    assert anew.opened == 1


def test_other_bytes_under_a_name_that_was_sound_before_are_damage(tmp_path: Path) -> None:
    project = Project(tmp_path)
    [first] = arrive(project).entries()
    project.artifacts.joinpath(f"{first.name}.tar.gz").unlink()

    [entry] = arrive(project, started="2026-02-02T00:00:00+00:00").entries()
    assert "does not have the bytes that it had when it was sound" in entry.damage


def test_an_index_that_cannot_be_written_loses_no_artifact(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr("anisweep.artifacts.store.write_bytes", full)
        store = arrive(Project(tmp_path))

    [entry] = store.entries()
    assert (entry.sound, store.opened) == (True, 1)
