"""Species keep their names from the file to the features."""

import numpy as np
import pytest
from click.testing import CliRunner

from anisweep.cli import main

NUMBERED = """2
Lattice="9 0 0 0 9 0 0 0 9" Properties=Z:I:1:pos:R:3:c_q:R:4 pbc="T T T"
150 0 0 0 1 0 0 0
6 0 0 2 1 0 0 0
"""


@pytest.fixture
def run(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "some.xyz").write_text(NUMBERED * 2)

    def run(*command, status=0):
        result = CliRunner().invoke(main, list(command))
        assert result.exit_code == status, result.output
        return result.output

    return run


SHAPES = ("--diameters", "{150: [3, 3, 1], C: [2, 2, 2]}", "--max-angular", "2")


def test_names_stand_beside_the_numbers_and_merging_keeps_them(run):
    run("describe", "some.xyz", "-o", "whole.npz", *SHAPES)
    for shard in ("1", "2"):
        run("describe", "some.xyz", "-o", f"{shard}.npz", "--shard", f"{shard}/2", *SHAPES)
    run("merge", "1.npz", "2.npz", "-o", "merged.npz")

    for name in ("whole.npz", "merged.npz"):
        with np.load(name) as there:
            assert there["neighbours"].tolist() == [6, 150]
            assert there["names"].tolist() == ["C", "150"]


def test_pairs_by_name_or_number(run):
    run("describe", "some.xyz", "-o", "some.npz", *SHAPES, "--pair", "150", "C")

    with np.load("some.npz") as there:
        columns = there["columns"]
    assert set(columns["species_a"].tolist()) == {150}
    assert set(columns["species_b"].tolist()) == {6}


def test_a_species_that_is_not_there_is_named(run):
    said = run("describe", "some.xyz", "-o", "some.npz", *SHAPES, "--pair", "H", "C", status=1)

    assert "the file has no H. Allowed: C, 150" in said


def test_metatensor_loads_any_species(run):
    metatensor = pytest.importorskip("metatensor")
    run("describe", "some.xyz", "-o", "some.mts", *SHAPES)

    assert metatensor.load("some.mts").keys["types_center"].tolist() == [6, 150]
    with np.load("some.mts") as there:
        assert there["names"].tolist() == ["C", "150"]


def test_a_key_that_yaml_takes_for_false_is_asked_about(run):
    said = run("describe", "some.xyz", "-o", "some.npz", "--diameters", "{No: [3, 3, 1]}", status=1)

    assert "in quotes" in said
