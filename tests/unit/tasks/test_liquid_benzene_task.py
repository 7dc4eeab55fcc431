"""The task `liquid_benzene`, on a small file in place of the given one."""

import lzma

import numpy as np
import pytest
import torch
from ase import Atoms

from anisweep.cell import Hypers
from anisweep.datasets.canonical import DIAMETERS, canonical
from anisweep.datasets.generators import gaussian_overlap
from anisweep.models import RidgeModel
from anisweep.modes import Unavailable
from anisweep.tasks import liquid_benzene
from anisweep.worker.clock import Clock

HYPERS = Hypers(max_angular=2, max_radial=2, cutoff_radius=6.0, radial_gaussian_width=1.2, basis_tol=1e-2)
ONE_SPLIT = [Atoms("X")]


@pytest.fixture(autouse=True, scope="module")
def _one_thread():
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(autouse=True)
def _data(tmp_path, monkeypatch):
    """Six frames of eight particles that repel each other softly, in the form of the given file."""
    lines = []
    for seed in range(6):
        random = np.random.default_rng(seed)
        grid = np.stack(np.meshgrid([0, 6], [0, 6], [0, 6]), axis=-1).reshape(-1, 3)
        atoms = Atoms("X8", grid + random.normal(0, 0.5, (8, 3)), cell=[12.0] * 3, pbc=True)
        frame = canonical(atoms, random.normal(size=(8, 4)), (3.0, 3.0, 1.0))
        _, forces, torques = gaussian_overlap.overlap(frame)
        rows = np.hstack([frame.positions, frame.arrays["c_q"], 100 * forces, 100 * torques]).tolist()
        header = 'Lattice="12 0 0 0 12 0 0 0 12" pbc="T T T" Properties=species:S:1:pos:R:3:c_q:R:4'
        lines += ["8", f"{header}:forces:R:3:torques:R:3", *("X " + " ".join(map(repr, row)) for row in rows)]

    with lzma.open(tmp_path / "benzene-liquid.xyz.xz", "wt") as stream:
        stream.write("\n".join(lines) + "\n")
    monkeypatch.setenv("ANISWEEP_DATA", str(tmp_path))


@pytest.mark.parametrize("mode", liquid_benzene.MODES)
def test_each_mode_learns_and_flows(mode):
    liquid = liquid_benzene.prepare(mode, HYPERS, "fp64", "cpu", ONE_SPLIT)
    clock = Clock()
    pushes = liquid_benzene.compute(liquid, ONE_SPLIT, clock)
    found = liquid_benzene.results(liquid, ONE_SPLIT)

    assert pushes.shape == (8, 6)
    assert clock.seconds["forces"] > 0
    assert set(found) == set(liquid_benzene.RESULTS)
    assert all(np.isfinite(value) for value in found.values())
    assert found["force_rmse"] < found["force_rms"]
    assert found["force_rmse"] <= found["worst_force_rmse"]


def test_the_linear_model_is_the_one_that_a_fit_gives():
    liquid = liquid_benzene.prepare("pair_features", HYPERS, "fp64", "cpu", ONE_SPLIT)
    tested = liquid.splits[0]
    frames = [frame for place, frame in enumerate(liquid.frames) if place not in tested]
    labels = {name: [frame.arrays[name] for frame in frames] for name in ("forces", "torques")}
    fitted = RidgeModel.fit(liquid.projection, frames, **labels, alpha=1e-10, features="pair_features")

    ours, theirs = (model.compute(liquid.frames)[1].forces for model in (liquid.model, fitted))
    assert np.abs(ours - theirs).max() < 1e-6 * np.abs(theirs).max()


def test_both_features_together_learn_more_than_each_alone():
    errors = {}
    for mode in ("power_spectrum", "pair_features", "joined"):
        liquid = liquid_benzene.prepare(mode, HYPERS, "fp64", "cpu", ONE_SPLIT)
        learned = [frame for place, frame in enumerate(liquid.frames) if place not in liquid.splits[0]]
        slopes = liquid.model.compute(learned)[1]
        true = np.vstack([frame.arrays["forces"] for frame in learned])
        errors[mode] = np.sqrt(np.mean((slopes.forces - true) ** 2))

    assert errors["joined"] < 0.95 * min(errors["power_spectrum"], errors["pair_features"])


def test_diameters_are_those_of_the_mode():
    narrow, wide = (
        liquid_benzene.prepare(mode, HYPERS, "fp64", "cpu", ONE_SPLIT)
        for mode in ("power_spectrum", "wide_density")
    )

    assert [narrow.frames[0].arrays[name][0] for name in DIAMETERS] == [2.0, 2.0, 0.7]
    assert [wide.frames[0].arrays[name][0] for name in DIAMETERS] == [3.0, 3.0, 1.0]


@pytest.mark.parametrize(("frames", "splits"), [(1, 1), (3, 3), (15, 15), (40, 15)])
def test_the_number_of_frames_is_that_of_splits(frames, splits):
    liquid = liquid_benzene.prepare("pair_features", HYPERS, "fp64", "cpu", ONE_SPLIT * frames)

    assert len(set(liquid.splits)) == splits
    assert (liquid.share == 1) == (splits == 15)


def test_without_the_data_it_is_unavailable(monkeypatch):
    monkeypatch.delenv("ANISWEEP_DATA")

    with pytest.raises(Unavailable, match=r"ANISWEEP_DATA names no folder with benzene-liquid\.xyz\.xz"):
        liquid_benzene.prepare("pair_features", HYPERS, "fp64", "cpu", ONE_SPLIT)
