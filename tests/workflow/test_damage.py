"""Artifacts that were damaged or deleted, and the commands that show, verify and prune them."""

from __future__ import annotations

from pathlib import Path

import pytest

from clone import Clone


def _damage(artifact: Path) -> None:
    content = bytearray(artifact.read_bytes())
    content[len(content) // 2] ^= 1
    artifact.write_bytes(content)


@pytest.fixture
def first(project: Clone) -> Path:
    """The artifact of the first replicate, known to the index."""
    project.plan()
    return next(project.artifacts.glob("several-r1-*.tar.gz"))


def test_damage_is_found_and_measured_again_under_a_new_name(project: Clone, first: Path) -> None:
    _damage(first)
    before = project.digests()
    name = first.name.removesuffix(".tar.gz")

    said = project.run("anisweep", "verify", status=1)
    assert f"damaged: {name}" in said
    assert "2 artifacts read, 1 damaged, 0 missing" in said
    assert project.reasons() == {f"artifact damaged: {name}": 4}

    project.snakemake()

    after = project.digests()
    assert {name: after[name] for name in before} == before
    assert sorted(after.keys() - before.keys()) == [f"{name}-2.tar.gz"]
    assert project.plan()["to_measure"] == []

    listed = project.run("anisweep", "prune")
    assert f"{first.name}  (damaged)" in listed
    assert first.exists()

    project.run("anisweep", "prune", "--yes")
    assert not first.exists()
    assert project.run("anisweep", "prune").startswith("Would delete 0 artifacts")
    assert "0 damaged, 0 missing" in project.run("anisweep", "verify")


def test_a_deleted_artifact_is_measured_again(project: Clone, first: Path) -> None:
    first.unlink()
    name = first.name.removesuffix(".tar.gz")

    assert f"missing: {name}" in project.run("anisweep", "verify", status=1)
    assert project.reasons() == {f"artifact missing: {name}": 4}


def test_prune_lists_what_no_study_asks_for(project: Clone, first: Path) -> None:
    project.edit("config/studies/tiny.yaml", "max_angular: 2", "max_angular: 3")
    before = project.digests()

    listed = project.run("anisweep", "prune")

    assert listed.count("(no study asks for its cells)") == 2
    assert project.digests() == before


def test_show_prints_an_artifact_and_a_cell(project: Clone, first: Path) -> None:
    shown = project.run("anisweep", "show", first.name)
    assert shown.count("  ok  ") == 4

    key = shown.splitlines()[-1].split()[0]
    cell = project.run("anisweep", "show", key)
    assert f"key          {key}" in cell
    assert "wall_s" in cell

    assert "nothing: no artifact of this name" in project.run("anisweep", "show", "nothing", status=1)


def test_verify_is_content_with_what_was_measured(project: Clone) -> None:
    assert "2 artifacts read, 0 damaged, 0 missing" in project.run("anisweep", "verify")
