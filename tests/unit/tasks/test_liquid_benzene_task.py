"""The task `liquid_benzene`, on a small file in place of the given one."""

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


@pytest.fixture(autouse=True, scope="module")
def _one_thread():
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="module")
def frames():
    """Five frames of 27 particles that repel each other softly."""
    made = []
    for seed in range(5):
        random = np.random.default_rng(seed)
        grid = np.stack(np.meshgrid([0, 4, 8], [0, 4, 8], [0, 4, 8]), axis=-1).reshape(-1, 3)
        atoms = Atoms("X27", grid + random.normal(0, 0.5, (27, 3)), cell=[12.0] * 3, pbc=True)
        frame = canonical(atoms, random.normal(size=(27, 4)), (3.0, 3.0, 1.0))
        _, forces, torques = gaussian_overlap.overlap(frame)
        frame.arrays |= {"forces": 100 * forces, "torques": 100 * torques}
        for name, diameter in zip(DIAMETERS, (2.0, 2.0, 0.7), strict=True):
            frame.arrays[name][:] = diameter
        made.append(frame)
    return made


@pytest.mark.parametrize("mode", liquid_benzene.MODES)
def test_each_mode_learns_and_flows(mode, frames, monkeypatch):
    monkeypatch.setattr(liquid_benzene, "_splits", lambda count: [(0,), (1,)])
    liquid = liquid_benzene.prepare(mode, HYPERS, "fp64", "cpu", frames)
    clock = Clock()
    pushes = liquid_benzene.compute(liquid, frames, clock)
    found = liquid_benzene.results(liquid, frames)

    assert pushes.shape == (27, 6)
    assert clock.seconds["forces"] > 0
    assert set(found) == set(liquid_benzene.RESULTS)
    assert all(np.isfinite(value) for value in found.values())
    assert found["force_rmse"] < found["force_rms"]
    assert found["force_rmse"] <= found["worst_force_rmse"]


def test_the_linear_model_is_the_one_that_a_fit_gives(frames):
    liquid = liquid_benzene.prepare("pair_features", HYPERS, "fp64", "cpu", frames)
    tested = liquid.splits[0]
    frames = [frame for place, frame in enumerate(liquid.frames) if place not in tested]
    labels = {name: [frame.arrays[name] for frame in frames] for name in ("forces", "torques")}
    fitted = RidgeModel.fit(liquid.projection, frames, **labels, alpha=1e-10, features="pair_features")

    ours, theirs = (model.compute(liquid.frames)[1].forces for model in (liquid.model, fitted))
    assert np.abs(ours - theirs).max() < 1e-6 * np.abs(theirs).max()


def test_both_features_together_learn_more_than_each_alone(frames):
    errors = {}
    for mode in ("power_spectrum", "pair_features", "joined"):
        liquid = liquid_benzene.prepare(mode, HYPERS, "fp64", "cpu", frames)
        learned = [frame for place, frame in enumerate(liquid.frames) if place not in liquid.splits[0]]
        slopes = liquid.model.compute(learned)[1]
        found = np.hstack([slopes.forces, slopes.torques])
        true = np.vstack([np.hstack([frame.arrays["forces"], frame.arrays["torques"]]) for frame in learned])
        errors[mode] = np.sqrt(np.mean((found - true) ** 2))

    assert errors["joined"] < 0.98 * min(errors["power_spectrum"], errors["pair_features"])


def test_diameters_are_those_of_the_mode(frames):
    narrow, wide = (
        liquid_benzene.prepare(mode, HYPERS, "fp64", "cpu", frames)
        for mode in ("power_spectrum", "wide_density")
    )

    assert [narrow.frames[0].arrays[name][0] for name in DIAMETERS] == [2.0, 2.0, 0.7]
    assert [wide.frames[0].arrays[name][0] for name in DIAMETERS] == [3.0, 3.0, 1.0]


@pytest.mark.parametrize(("count", "splits", "tested"), [(3, 3, 1), (5, 5, 1), (6, 15, 2)])
def test_frames_are_tested_in_turn(count, splits, tested):
    made = liquid_benzene._splits(count)

    assert len(set(made)) == len(made) == splits
    assert all(len(set(each)) == tested for each in made)
    assert {place for each in made for place in each} == set(range(count))


def test_of_many_frames_fifteen_pairs_at_most_are_tested():
    assert all(7 < len(liquid_benzene._splits(count)) <= 15 for count in range(7, 40))


def test_what_cannot_be_learned_from_is_unavailable(frames):
    bare = [frame.copy() for frame in frames]
    del bare[1].arrays["torques"]

    for given, said in ((frames[:2], "2 frames are too few"), (bare, "frame 1 has no torques")):
        with pytest.raises(Unavailable, match=said):
            liquid_benzene.prepare("pair_features", HYPERS, "fp64", "cpu", given)
