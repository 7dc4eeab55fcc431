"""What a run for a cluster gives its jobs, and what comes back from them."""

from __future__ import annotations

from pathlib import Path

import pytest

from anisweep.cluster.arrivals import accept
from anisweep.descriptors.kernels import loader
from anisweep.features import shards
from anisweep.features.job import compute
from anisweep.workflow.feature_run import FeatureRun
from tests.unit.describe.conftest import frames, write

LEVEL = loader.compiled_levels()[:2][-1]
ASKED = f"""
file: some.xyz
output: features.npz
orientations: turned
diameters: widths
hypers: {{max_angular: 2, max_radial: 1, cutoff_radius: 4.0}}
instruction_set: {LEVEL}
"""


@pytest.fixture
def run(project, monkeypatch) -> FeatureRun:
    """A run for a cluster with four shards to compute."""
    monkeypatch.setattr(shards, "frames_of_a_shard", lambda *_: 10)
    monkeypatch.setenv(loader.VARIABLE, LEVEL)
    monkeypatch.setenv("ANISWEEP_CONTROLLER", "")
    write(project.root / "some.xyz", frames(40))
    project.features_file("some").parent.mkdir()
    project.features_file("some").write_text(ASKED)
    return FeatureRun.read("some", "chtc")


def test_a_job_gets_its_own_frames_and_asks_for_what_it_needs(run):
    key = next(iter(run.plan.missing))
    run.split()

    work, piece = run.inputs(key)
    assert Path(work).exists()
    assert Path(piece).read_text().count("Lattice") == 10
    assert (run.memory_mb, run.disk_mb(key), run.minutes) == (1536, 1536, 60)


def test_what_is_computed_has_no_input_that_could_be_made(run):
    assert run.inputs("0" * 16) == ["results/features/0000000000000000 is not planned"]


def test_what_arrives_is_read_before_it_counts(run):
    key, other = list(run.plan.missing)[:2]
    run.split()
    arrived, output = Path("arrived.npz"), Path(run.plan.path("shards", key))
    compute(*map(Path, run.inputs(key)), arrived, lambda _: None)
    content = arrived.read_bytes()

    with pytest.raises(ValueError, match=f"holds the shard {key}"):
        accept(arrived, output.with_stem(other))
    arrived.write_bytes(content[:-100])
    with pytest.raises(ValueError, match="cannot be read"):
        accept(arrived, output)
    arrived.write_bytes(content)
    accept(arrived, output)

    assert output.read_bytes() == content
    assert not arrived.exists()
    assert len(FeatureRun.read("some", "chtc").plan.missing) == 3


def test_an_output_of_something_else_is_kept(run):
    Path("features.npz").write_bytes(b"mine")

    with pytest.raises(SystemExit, match=r"features\.npz"):
        FeatureRun.read("some", "chtc")
    assert Path("features.npz").read_bytes() == b"mine"
