"""How far a description is, as standard error says it."""

from __future__ import annotations

from click.testing import CliRunner

from anisweep.cli import main
from anisweep.cli.describe import _line
from anisweep.describe import Progress

XYZ = "".join(f"1\n\nC 0 0 {n}\n" for n in range(4))
OPTIONS = ["--orientations", "identity", "--diameters", "[1, 1, 2]", "--max-angular", "2", "-o"]


def test_time_left_is_by_what_this_run_did():
    assert _line(Progress(0, 100, 400), 30.0) == "100 of 400 frames, 90 s left"
    assert (
        _line(Progress(900, 1000, 1300), 30.0) == "1,000 of 1,300 frames (900 by an earlier run), 90 s left"
    )


def test_a_file_is_described_in_shards_merged_and_left_alone(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "some.xyz").write_text(XYZ)

    def said(*command):
        result = CliRunner().invoke(main, [*command])
        assert result.exit_code == 0, result.output
        return result.output

    assert said("describe", "some.xyz", *OPTIONS, "all.npz").startswith("4 of 4 frames, 0 s left\n")
    first = said("describe", "some.xyz", *OPTIONS, "1.npz", "--shard", "1/2")
    assert first.startswith("2 of 2 frames, 0 s left\n")
    said("describe", "some.xyz", *OPTIONS, "2.npz", "--shard", "2/2")
    said("merge", "2.npz", "1.npz", "-o", "merged.npz")

    assert (tmp_path / "merged.npz").read_bytes() == (tmp_path / "all.npz").read_bytes()
    assert "nothing to do" in said("describe", "some.xyz", *OPTIONS, "all.npz")
