"""What a person can get wrong in a fit: each message names the place, and what to do."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest
from click.testing import CliRunner

from anisweep.cli import main
from tests.unit.fitting.conftest import HYPERPARAMETERS, labelled

FIT = ("fit", "some.xyz", *HYPERPARAMETERS, "-o", "out.json")
EVALUATE = ("evaluate", "model.json", "some.xyz")
MERGE = ("merge", "1.npz", "2.npz", "-o", "out.json")


@pytest.fixture(scope="module")
def right(tmp_path_factory):
    """A folder with six labelled frames, a model, and two shards."""
    folder = tmp_path_factory.mktemp("right")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        Path("some.xyz").write_text("".join(labelled(6)))
        for options in (("-o", "model.json"), *(("-o", f"{n}.npz", "--shard", f"{n}/2") for n in (1, 2))):
            result = CliRunner().invoke(main, [*FIT[:-2], *options])
            assert result.exit_code == 0, result.output
    return folder


def particle(frame, number, place, text):
    """Writes a word into the row of a particle."""

    def change(content):
        lines = content.splitlines()
        row = 0
        for _ in range(frame):
            row += int(lines[row]) + 2
        words = lines[row + 2 + number].split(" ")
        words[place] = text
        lines[row + 2 + number] = " ".join(words)
        return "\n".join([*lines, ""])

    return change


def header(frame, pattern, text):
    """Changes the header of a frame."""

    def change(content):
        lines = content.splitlines()
        row = 0
        for _ in range(frame):
            row += int(lines[row]) + 2
        assert re.search(pattern, lines[row + 1])
        lines[row + 1] = re.sub(pattern, text, lines[row + 1])
        return "\n".join([*lines, ""])

    return change


def everywhere(pattern, text):
    return lambda content: re.sub(pattern, text, content)


#: What is done to some.xyz, the command, and what the message says.
FILES = [
    (particle(1, 2, 9, "nan"), FIT, "some.xyz, frame 1, array forces: particle 2 has nan"),
    (particle(0, 1, 12, "inf"), FIT, "some.xyz, frame 0, array torques: particle 1 has inf"),
    (particle(2, 0, 10, "left"), FIT, "some.xyz, frame 2, line 14: 'left' stands in column 11"),
    (particle(3, 1, 2, "nan"), FIT, "some.xyz, frame 3, positions: particle 1 has y = nan"),
    (particle(3, 1, 15, "-1"), FIT, "some.xyz, frame 3, .*particle 1 has .*-1"),
    (particle(4, 0, 15, "0"), FIT, "some.xyz, frame 4, .*particle 0 has .*0"),
    (particle(1, 0, 0, "O"), EVALUATE, "some.xyz, frame 1, species: particle 0 is of species 8"),
    (particle(1, 2, 9, "nan"), EVALUATE, "some.xyz, frame 1, array forces: particle 2 has nan"),
    (header(2, "energy=[^ ]*", "energy=nan"), FIT, "some.xyz, labels: .*frame 2 has nan"),
    (header(2, "energy=[^ ]*", "energy=low"), FIT, "some.xyz, labels: .*frame 2 has low"),
    (header(2, "energy=[^ ]*", 'energy="1 2"'), FIT, r"some.xyz, labels: .*frame 2 has \[1 2\]"),
    (header(3, 'stress=".*"', 'stress="1 2 3"'), FIT, r"the stress of frame 3 has shape \(3,\)"),
    (header(3, 'stress=".*"', 'stress="1 2 3 4 5 6 7 8 9"'), FIT, "stress of frame 3 is not symmetric"),
    (header(3, 'stress=".*"', 'stress="1 2 3 4 5 nan"'), FIT, "the stress of frame 3 is not finite"),
    (header(3, 'pbc="T T T"', 'pbc="F T T"'), FIT, "frame 3: it has a stress, but no volume"),
    (header(1, "forces:R:3:torques:R:3", "forces:R:2:torques:R:4"), FIT, r"frame 1 have shape \(4, 2\)"),
    (
        everywhere("(energy=|stress=|forces|torques)", r"my_\1"),
        FIT,
        "no frame has energy, forces, torques or",
    ),
    (lambda content: content[:2000], FIT, "some.xyz, frame"),
    (lambda content: "", FIT, "some.xyz: it is empty"),
    (everywhere("c_q", "q"), FIT, "some.xyz, frame 0, array c_q: it is missing"),
    (everywhere("c_diameter", "d"), FIT, "some.xyz, frame 0, array c_diameter"),
]

COMMANDS = [
    (("fit", "none.xyz", "-o", "out.json"), "none.xyz: No such file"),
    ((*FIT, "--forces", "pushes"), "some.xyz: no frame has pushes. Allowed: among energy, stress, "),
    ((*FIT, "--energies", "E0"), "some.xyz: no frame has E0"),
    ((*FIT, "--alpha", "-1"), "alpha must be a number from 0 on, not -1"),
    ((*FIT, "--force-fraction", "0"), "force_fraction must be a number above 0"),
    ((*FIT, "--weight", "energy", "1"), "--weight energy 1: not allowed. Allowed: one of energies, "),
    ((*FIT, "--weight", "energies", "many"), "--weight energies many: not allowed"),
    ((*FIT, "--shard", "3/2"), "--shard 3/2: not allowed"),
    ((*FIT, "--shard", "1/2"), "out.json: its name ends in '.json'. Allowed: .npz"),
    ((*FIT[:-1], "out.npz"), "out.npz: its name ends in '.npz'. Allowed: .json for a model"),
    ((*FIT[:-1], "no/out.json"), "there is no folder no"),
    ((*FIT[:-1], "model.json", "--max-radial", "1"), "model.json: it is there already, of another file"),
    ((*FIT, "--max-angular", "-1"), "max.angular"),
    (("evaluate", "some.xyz", "some.xyz"), "some.xyz: it is no model, or not whole"),
    (("evaluate", "torn.json", "some.xyz"), "torn.json: it is no model, or not whole"),
    (("evaluate", "changed.json", "some.xyz"), "changed.json: it was changed since it was written"),
    ((*EVALUATE, "-o", "parity.txt"), "parity.txt: its name ends in '.txt'. Allowed: .png and .svg"),
    ((*EVALUATE, "--torques", "spins"), "some.xyz: no frame has spins"),
    (("merge", "1.npz", "-o", "out.json"), "of 2 shards these are missing: 2"),
    (("merge", "1.npz", "1.npz", "-o", "out.json"), "1.npz: it is named twice"),
    (("merge", "1.npz", "torn.npz", "-o", "out.json"), "torn.npz: it cannot be read"),
    (("merge", "1.npz", "some.xyz", "-o", "out.json"), "some.xyz: it is no file of sums for a fit"),
    ((*MERGE[:-1], "model.json"), "model.json: it is there already"),
]


def refusal(right, tmp_path, monkeypatch, command, change=None):
    """What a command says beside right files, one of which was changed."""
    shutil.copytree(right, tmp_path, dirs_exist_ok=True)
    monkeypatch.chdir(tmp_path)
    if change:
        Path("some.xyz").write_text(change(Path("some.xyz").read_text()))

    before = set(tmp_path.iterdir())
    result = CliRunner().invoke(main, list(command))
    assert isinstance(result.exception, SystemExit), result.exception
    assert result.exit_code == 1, result.output
    assert set(tmp_path.iterdir()) == before
    return result.output


@pytest.mark.parametrize(("change", "command", "message"), FILES)
def test_a_wrong_file_is_refused_with_its_place(right, tmp_path, monkeypatch, change, command, message):
    assert re.search(message, refusal(right, tmp_path, monkeypatch, command, change))


@pytest.fixture
def damaged(right):
    """The model and a shard, torn or changed."""
    model = (right / "model.json").read_text()
    (right / "torn.json").write_text(model[: len(model) // 2])
    (right / "changed.json").write_text(model.replace('"cutoff_radius": 4.0', '"cutoff_radius": 5.0'))
    shard = (right / "2.npz").read_bytes()
    (right / "torn.npz").write_bytes(shard[: len(shard) // 2])


@pytest.mark.parametrize(("command", "message"), COMMANDS)
def test_a_wrong_command_is_refused(right, damaged, tmp_path, monkeypatch, command, message):
    assert re.search(message, refusal(right, tmp_path, monkeypatch, command))


def test_a_shard_of_other_hyperparameters_is_refused(right, tmp_path, monkeypatch):
    shutil.copytree(right, tmp_path, dirs_exist_ok=True)
    monkeypatch.chdir(tmp_path)
    other = (*FIT[:-2], "--max-radial", "1", "--shard", "2/2", "-o", "other.npz")
    assert CliRunner().invoke(main, list(other)).exit_code == 0

    result = CliRunner().invoke(main, ["merge", "1.npz", "other.npz", "-o", "out.json"])
    assert result.exit_code == 1
    assert "other.npz: its hypers differs from that of 1.npz" in result.output
