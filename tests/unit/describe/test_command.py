"""What `anisweep describe` and `anisweep merge` say beside their numbers."""

from __future__ import annotations

import json
from types import SimpleNamespace

import numpy as np
import pytest
from click.testing import CliRunner

from anisweep.cli import main
from anisweep.datasets.user_files import userfile
from anisweep.describe import checkpoint, provenance, run
from anisweep.descriptors.errors import NoThreads

XYZ = "".join(f"1\n\nC 0 0 {n}\n" for n in range(4))
DESCRIBE = [
    "describe",
    "some.xyz",
    "--orientations",
    "identity",
    "--diameters",
    "[1, 1, 2]",
    "--max-angular",
    "2",
]


@pytest.fixture
def said(tmp_path, monkeypatch):
    """Runs a command beside a file of four frames, which are parts of their own; returns what it says."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(checkpoint, "FRAMES", 1)
    (tmp_path / "some.xyz").write_text(XYZ)

    def said(*command, status=0):
        result = CliRunner().invoke(main, list(command))
        assert result.exit_code == status, result.output
        assert isinstance(result.exception, SystemExit | None)
        return result.output

    return said


def test_the_smooth_cutoff_is_in_the_provenance(said):
    said(*DESCRIBE, "-o", "smooth.npz", "--cutoff-smoothing", "0.5")

    with np.load("smooth.npz") as there:
        assert json.loads(str(there["provenance"]))["cutoff_smoothing"] == 0.5


def test_shards_of_several_instruction_sets_are_merged_with_a_warning(said, monkeypatch):
    for number, level in (("1", "avx2"), ("2", "avx512")):
        monkeypatch.setattr(provenance, "loader", SimpleNamespace(level=lambda level=level: level))
        said(*DESCRIBE, "-o", f"{number}.npz", "--shard", f"{number}/2")

    warning = said("merge", "1.npz", "2.npz", "-o", "merged.npz")
    assert "instruction sets avx2, avx512, so values may differ" in warning
    assert "ANISWEEP_LEVEL=avx2" in warning
    with np.load("merged.npz") as there:
        assert json.loads(str(there["provenance"]))["levels"] == ["avx2", "avx512"]


@pytest.mark.parametrize(
    ("error", "message", "status"),
    [
        (KeyboardInterrupt(), "Aborted!", 130),
        (MemoryError(), "some.xyz: there is no memory left", 1),
        (NoThreads("the system started no more threads"), "some.xyz: the system started no more threads", 1),
    ],
)
def test_what_ends_a_run_is_said_and_what_is_finished_is_kept(said, monkeypatch, error, message, status):
    really = run._features

    def ending(job, part, frames):
        if part.first == 3:
            raise error
        return really(job, part, frames)

    monkeypatch.setattr(run, "_features", ending)
    output = said(*DESCRIBE, "-o", "out.npz", status=status)
    assert message in output
    assert "the same command goes on from there" in output

    monkeypatch.setattr(run, "_features", really)
    assert "4 of 4 frames (3 by an earlier run)" in said(*DESCRIBE, "-o", "out.npz")


def test_memory_that_runs_out_while_reading_is_no_fault_of_the_file(said, monkeypatch):
    def reading(*where):
        raise MemoryError

    monkeypatch.setattr(userfile, "read_frames", reading)
    assert "there is no memory left" in said(*DESCRIBE, "-o", "out.npz", status=1)


def test_a_level_that_this_machine_lacks(said, monkeypatch):
    monkeypatch.setenv("ANISWEEP_LEVEL", "foo")
    message = said(*DESCRIBE, "-o", "out.npz", status=1)
    assert "ANISWEEP_LEVEL=foo: this machine has portable" in message
    assert "unset it or choose one" in message


@pytest.mark.parametrize(
    ("name", "how"), [("some.npz", "numpy.load('some.npz')"), ("some.mts", "metatensor.")]
)
def test_the_last_line_names_the_output_its_size_and_how_to_read_it(said, name, how):
    last = said(*DESCRIBE, "-o", name).splitlines()[-1]

    assert last.startswith(f"Wrote {name}: 4 rows of 6 features. To read it: {how}")


def test_merging_names_its_output_too(said):
    for number in "12":
        said(*DESCRIBE, "-o", f"{number}.npz", "--shard", f"{number}/2")

    assert "Wrote merged.npz: 4 rows of 6 features." in said("merge", "1.npz", "2.npz", "-o", "merged.npz")
