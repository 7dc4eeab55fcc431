"""`anisweep fit`, `anisweep merge` of its shards, and `anisweep evaluate`."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from anisweep.descriptors import EllipsoidalDensityProjection
from anisweep.descriptors.errors import NoThreads
from anisweep.fitting import run
from anisweep.models import RidgeModel, load, rows
from tests.unit.descriptors.frames_for_tests import relative
from tests.unit.fitting.conftest import HYPERPARAMETERS, labelled

FIT = ("fit", "some.xyz", *HYPERPARAMETERS)


def rmse(table, kind):
    line = next(line for line in table.splitlines() if line.startswith(kind))
    return float(line.split()[-3])


def test_the_truth_is_found_again(said):
    output = said(*FIT, "--alpha", "1e-14", "--unit", "eV", "-o", "model.json")
    assert "learns from energies `energy` (of frames), forces `forces` (minus" in output
    assert "torques `torques` (in space, minus the derivatives by turns), stresses `stress`" in output
    assert "Wrote model.json: 24 weights from 24 energies, 96 forces, 96 torques, 24 stresses." in output

    table = said("evaluate", "model.json", "some.xyz", "-o", "parity.svg")
    for kind in ("energy per particle", "forces", "torques", "stresses"):
        assert rmse(table, kind) < 1e-6
    assert "eV/Å³" in table
    assert Path("parity.svg").read_text().startswith("<?xml")


def test_what_dynamics_will_refuse_is_said_at_once(said):
    quiet = said(*FIT, "--unit", "kcal/mol", "-o", "model.json")
    assert "Dynamics" not in quiet
    assert "sharp" not in quiet

    warned = said(*FIT[:-2], "--unit", "kcal", "-o", "other.json")
    assert "Dynamics will not know the unit 'kcal': they know eV, kcal/mol, reduced." in warned
    assert "give --cutoff-smoothing, for example 1.0" in warned


def test_pair_features_and_other_options_reach_the_model(said):
    said(*FIT, "--pair-features", "--weight", "energies", "0", "-o", "model.json")

    model = load("model.json")
    assert model.features == "pair_features"
    assert not model.intercepts.any()
    assert "The model learned no energies, so only" in said("evaluate", "model.json", "some.xyz")
    assert model.projection.tables.smoothing == 1.0


def test_evaluate_reads_as_the_fit_did_unless_told(said):
    lengths = ("--diameters", '{"C": [2, 2, 1], "H": [1, 1, 2]}')
    said(*FIT, *lengths, "--torques", "torques", "-o", "model.json")

    table = said("evaluate", "model.json", "some.xyz")
    assert """As in the fit: --diameters '{"C": [2, 2, 1], "H": [1, 1, 2]}'.""" in table
    assert "As in the fit: --torques torques." in table
    assert rmse(table, "forces") == rmse(said("evaluate", "model.json", "some.xyz", *lengths), "forces")
    assert rmse(table, "forces") != rmse(
        said("evaluate", "model.json", "some.xyz", "--diameters", "[3, 3, 1]"), "forces"
    )


def test_how_lengths_are_meant_goes_with_the_lengths(said):
    said(*FIT, "--diameters", "[1, 1, 2]", "--semi-axes", "-o", "model.json")
    assert "As in the fit: --semi-axes." in said("evaluate", "model.json", "some.xyz")
    assert "--semi-axes" not in said("evaluate", "model.json", "some.xyz", "--diameters", "[2, 2, 4]")


@pytest.mark.parametrize("fraction", ["1", "0.4"])
def test_merged_shards_are_one_run(said, fraction):
    options = (*FIT, "--force-fraction", fraction)
    said(*options, "-o", "whole.json")
    whole = load("whole.json")

    for count in (2, 4):
        parts = [f"{number}-{count}.npz" for number in range(1, count + 1)]
        for number, part in enumerate(parts, start=1):
            said(*options, "--shard", f"{number}/{count}", "-o", part)
        said("merge", *parts, "-o", f"{count}.json")
        said("merge", *reversed(parts), "-o", f"{count}-reversed.json")

        assert Path(f"{count}.json").read_bytes() == Path(f"{count}-reversed.json").read_bytes()
        merged = load(f"{count}.json")
        assert relative(merged.weights, whole.weights) <= 1e-10
        assert relative(merged.intercepts, whole.intercepts) <= 1e-10


def test_a_fit_that_is_there_is_not_made_again(said):
    said(*FIT, "-o", "model.json")
    assert "nothing to do" in said(*FIT, "-o", "model.json")
    assert "it is there already, of another file" in said(*FIT, "--seed", "1", "-o", "model.json", status=1)


def interrupt_after(frames, monkeypatch):
    """Press Ctrl-C in a fit, so many frames from its beginning."""
    really = run.FitJob._equations

    def ending(job, part, frames_of_file):
        if part.first >= frames:
            raise KeyboardInterrupt
        return really(job, part, frames_of_file)

    monkeypatch.setattr(run.FitJob, "_equations", ending)


def test_an_interrupted_fit_goes_on_to_the_same_bits(said, monkeypatch):
    monkeypatch.setattr(rows, "AT_A_TIME", 1)
    said(*FIT, "-o", "whole.json")

    with monkeypatch.context() as patch:
        interrupt_after(12, patch)
        assert "the same command goes on from there" in said(*FIT, "-o", "model.json", status=130)
    assert "by an earlier run" in said(*FIT, "-o", "model.json")
    assert Path("model.json").read_bytes() == Path("whole.json").read_bytes()
    assert not list(Path().glob(".model*"))


def test_a_killed_fit_goes_on_to_the_same_bits(said, tmp_path):
    """Killed by the kernel at random instants, in the midst of reading, computing and writing."""
    texts = labelled(24)
    (tmp_path / "some.xyz").write_text("".join(texts * 2))
    small = "from anisweep.models import rows; rows.AT_A_TIME = 1; from anisweep.cli import main; main()"
    command = [sys.executable, "-c", small, *FIT, "-o"]
    subprocess.run([*command, "whole.json"], check=True, capture_output=True)

    generator, kills = np.random.default_rng(), 0
    for longest in (0.0, 0.1, 0.3):
        process = subprocess.Popen([*command, "model.json"], stderr=subprocess.DEVNULL)
        began = time.monotonic()
        while process.poll() is None and not list(tmp_path.glob(".model.json.parts/*.npz")):
            time.sleep(0.005)
        time.sleep(generator.uniform(0, longest) * (time.monotonic() - began))
        process.send_signal(signal.SIGKILL)
        kills += process.wait() == -signal.SIGKILL

    subprocess.run([*command, "model.json"], check=True, capture_output=True)
    assert kills
    assert (tmp_path / "model.json").read_bytes() == (tmp_path / "whole.json").read_bytes()


@pytest.fixture
def pushed(said, tmp_path):
    """The frames with a net force on the first."""
    lines = (tmp_path / "some.xyz").read_text().splitlines()
    words = lines[2].split()
    words[8] = str(float(words[8]) + 3.0)
    (tmp_path / "some.xyz").write_text("\n".join([*lines[:2], " ".join(words), *lines[3:], ""]))


NET_FORCE = "Warning: frame 0 has a net force of 3"


def test_a_net_force_is_said(said, pushed):
    assert NET_FORCE in said(*FIT, "-o", "model.json")

    for number in (1, 2):
        assert (NET_FORCE in said(*FIT, "--shard", f"{number}/2", "-o", f"{number}.npz")) is (number == 1)
    assert NET_FORCE in said("merge", "2.npz", "1.npz", "-o", "merged.json")


def test_a_net_force_is_said_after_a_kill(said, pushed, monkeypatch):
    monkeypatch.setattr(rows, "AT_A_TIME", 1)
    with monkeypatch.context() as patch:
        interrupt_after(12, patch)
        said(*FIT, "-o", "model.json", status=130)
    assert NET_FORCE in said(*FIT, "-o", "model.json")


def test_a_virial_is_minus_the_stress_times_the_volume(said, tmp_path):
    said(*FIT, "-o", "one.json")
    content = (tmp_path / "some.xyz").read_text().splitlines()
    for place, line in enumerate(content):
        before, marker, stress = line.partition('stress="')
        if marker:
            volume = np.linalg.det(np.array(line.split('"')[1].split(), float).reshape(3, 3))
            virial = -volume * np.array(stress.rstrip('"').split(), float)
            content[place] = f'{before}virial="{" ".join(map(repr, virial.tolist()))}"'

    (tmp_path / "some.xyz").write_text("\n".join([*content, ""]))
    assert "stresses `virial` (minus the stress times the volume)" in said(*FIT, "-o", "other.json")
    assert relative(load("other.json").weights, load("one.json").weights) <= 1e-8


def test_a_model_of_rotation_matrices_computes_the_same(said):
    said(*FIT, "-o", "model.json")
    model = load("model.json")
    projection = EllipsoidalDensityProjection(
        *(2, "gto", 4.0),
        radial_gaussian_width=1.5,
        rotation_key="matrices",
        rotation_type="matrix",
        cutoff_smoothing=1.0,
    )
    turned = RidgeModel(projection, model.weights, model.intercepts, model.species)
    turned.save("turned.json")

    table = said("evaluate", "model.json", "some.xyz")
    assert rmse(said("evaluate", "turned.json", "some.xyz"), "torques") == pytest.approx(
        rmse(table, "torques"), rel=1e-3
    )


def test_no_room_and_no_threads_are_said(said, monkeypatch):
    said(*FIT, "-o", "model.json")

    for error in (MemoryError(), NoThreads("the system started no more threads")):

        def refuse(model, frames, error=error):
            raise error

        with monkeypatch.context() as patch:
            patch.setattr(RidgeModel, "compute", refuse)
            output = said("evaluate", "model.json", "some.xyz", status=1)
        assert "some.xyz: " in output
        assert "Take fewer --threads, or a machine with more room." in output
        assert "goes on" not in output
