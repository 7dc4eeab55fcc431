"""Recipes, and data sets as files with their sidecars."""

import json
import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from anisweep import datasets
from anisweep.datasets import generators, prepared, recipes

RECIPE = replace(datasets.generated()["ellipsoids"], frames=3)


def test_a_digest_covers_recipe_and_code(monkeypatch):
    first = RECIPE.digest
    changed = [replace(RECIPE, frames=4), replace(RECIPE, seed=2), replace(RECIPE, parameters={"a": 1})]
    assert len({first, *(recipe.digest for recipe in changed)}) == 4

    monkeypatch.setattr(recipes, "source_digest", lambda path: "other code")
    assert replace(RECIPE).digest != first


def test_the_code_of_a_recipe_is_its_generator_and_what_that_imports(monkeypatch):
    seen = []
    monkeypatch.setattr(recipes, "source_digest", lambda path: seen.append(path.name) or "")
    _ = replace(datasets.generated()["two_species"]).digest

    own = ["_images.py", "benzenes.py", "ellipsoids.py", "species.py"]
    assert sorted(seen) == sorted([*own, "canonical.py", "species.py"])


def test_a_new_file_is_a_new_data_set(monkeypatch, tmp_path):
    name, before = "a_test_adds_this", len(datasets.generated())
    folder = tmp_path / "generators"
    shutil.copytree(recipes.FOLDER, folder)
    text = (folder / "ellipsoids.py").read_text().replace('"ellipsoids": {}', f'"{name}": {{}}')
    (folder / f"{name}.py").write_text(text)

    monkeypatch.setattr(recipes, "FOLDER", folder)
    monkeypatch.setattr(generators, "__path__", [str(folder)])

    assert datasets.generated()[name].frames == 1000
    assert len(datasets.generated()) == before + 1


def test_a_prepared_file_reads_back_and_describes_itself(tmp_path):
    path = tmp_path / "data" / "few.xyz"
    sidecar = datasets.prepare(RECIPE, path)

    assert [len(frame) for frame in datasets.read(path)] == [len(frame) for frame in RECIPE.generate()]
    assert json.loads(datasets.sidecar_path(path).read_text())["digest"] == RECIPE.digest
    assert sidecar == datasets.verify(path)
    assert (sidecar.frames, sidecar.species) == (3, ["X"])

    readme = path.with_suffix(".md").read_text()
    assert RECIPE.made in readme
    assert sidecar.sha256 in readme
    assert sorted(file.name for file in path.parent.iterdir()) == ["few.md", "few.xyz", "few.xyz.json"]


def test_the_bytes_are_the_same_each_time(tmp_path):
    one, other = (datasets.prepare(RECIPE, tmp_path / name) for name in ("one.xyz", "other.xyz"))

    assert one == other


def test_a_file_that_is_there_is_left_alone(tmp_path, monkeypatch):
    path = tmp_path / "few.xyz"
    first = datasets.prepare(RECIPE, path)
    monkeypatch.setattr(prepared, "_write", None)

    assert datasets.prepare(RECIPE, path) == first


def test_another_recipe_replaces_the_file(tmp_path):
    path = tmp_path / "few.xyz"
    datasets.prepare(RECIPE, path)
    datasets.prepare(replace(RECIPE, frames=2), path)

    assert datasets.verify(path).frames == len(datasets.read(path)) == 2


def test_a_changed_file_is_refused(tmp_path):
    path = tmp_path / "few.xyz"
    datasets.prepare(RECIPE, path)
    path.write_text(path.read_text().replace("3.0 3.0 1.0", "3.0 3.0 2.0", 1))

    with pytest.raises(datasets.DataError, match=r"few\.xyz: its content was changed.*prepared anew"):
        datasets.prepare(RECIPE, path)


def test_a_file_of_unknown_origin_is_refused(tmp_path):
    path = tmp_path / "few.xyz"
    path.write_text("mine")

    with pytest.raises(
        datasets.DataError, match=r"sidecar few\.xyz\.json cannot be read.*move few\.xyz away"
    ):
        datasets.prepare(RECIPE, path)

    assert path.read_text() == "mine"


@pytest.mark.parametrize("steps", [0, 1, 2])
def test_a_crash_between_the_files_is_mended_by_the_next_run(tmp_path, monkeypatch, steps):
    path = tmp_path / "few.xyz"
    datasets.prepare(RECIPE, path)
    write, done = prepared._write, []

    def crash(target: Path, content: bytes) -> None:
        if len(done) == steps:
            raise KeyboardInterrupt
        done.append(target)
        write(target, content)

    with monkeypatch.context() as patch:
        patch.setattr(prepared, "_write", crash)
        with pytest.raises(KeyboardInterrupt):
            datasets.prepare(replace(RECIPE, frames=2), path)

    assert not path.exists() or datasets.verify(path).frames == len(datasets.read(path))
    assert datasets.prepare(RECIPE, path).frames == len(datasets.read(path)) == 3


def test_a_folder_that_cannot_be_written(tmp_path):
    (tmp_path / "data").write_text("a file where a folder should be")

    with pytest.raises(datasets.DataError, match=r"cannot be written .*Allowed.*What to do"):
        datasets.prepare(RECIPE, tmp_path / "data" / "few.xyz")


def test_first_frames_of_both_kinds(tmp_path):
    path = tmp_path / "few.xyz"
    datasets.prepare(RECIPE, path)

    generated = next(datasets.canonical_frames("ellipsoids", tmp_path / "not there.xyz"))
    written = next(datasets.canonical_frames("mine", path))

    assert (generated.positions == written.positions).all()
