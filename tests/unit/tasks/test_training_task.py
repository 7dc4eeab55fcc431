"""The task `training`: modes that save time must not change what is learned."""

import numpy as np
import pytest
import torch
from ase import Atoms

from anisweep.cell import Hypers
from anisweep.datasets.generators import gaussian_overlap
from anisweep.modes import Unavailable
from anisweep.tasks import training
from anisweep.worker.clock import Clock

HYPERS = Hypers(max_angular=3, max_radial=2)
FRAMES = list(gaussian_overlap.generate(24, seed=1))


@pytest.fixture(autouse=True, scope="module")
def one_thread():
    """Threads of Torch that wait for a busy core take a hundred times as long."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def prepared(mode):
    return training.prepare(mode, HYPERS, "fp64", "cpu", FRAMES)


@pytest.fixture(scope="module")
def plain(one_thread):
    return training.compute(prepared("plain"), FRAMES, Clock())


@pytest.mark.parametrize("mode", ["on_kernels", "cached_neighbours"])
def test_an_epoch_learns_the_same_by_kernels_and_with_kept_neighbours(plain, mode):
    assert training.compute(prepared(mode), FRAMES, Clock()) == pytest.approx(plain, rel=1e-9)


def test_single_precision_and_fewer_forces_learn_something_else(plain):
    single, few = (
        training.compute(prepared(mode), FRAMES, Clock()) for mode in ("fp32", "force_fraction_30")
    )

    assert single == pytest.approx(plain, rel=1e-3)
    assert not np.array_equal(single, plain)
    assert not np.allclose(few, plain, rtol=1e-3)


@pytest.mark.parametrize("mode", ["plain", "all_together", "cached_features", "workers_0", "closed_form"])
def test_stages_cover_a_call(mode):
    calculator = prepared(mode)
    clock = Clock()

    assert np.isfinite(training.compute(calculator, FRAMES, clock)).all()
    assert sum(clock.seconds.values()) > 0


def test_features_are_the_same_from_cache_and_workers():
    epochs = [
        training.compute(prepared(mode), FRAMES, Clock())
        for mode in ("features", "cached_features", "workers_0", "workers_2_fork")
    ]

    for other in epochs[1:]:
        assert np.array_equal(other, epochs[0])


def test_results_say_what_the_mode_is_about():
    cache = training.results(prepared("cached_features"), FRAMES)
    workers = training.results(prepared("workers_1_fork"), FRAMES)
    few = training.results(prepared("closed_form_30"), FRAMES)
    kernels = training.results(prepared("on_kernels"), FRAMES)

    assert cache["hit_difference"] == cache["changes_that_hit"] == cache["damages_unseen"] == 0
    assert workers["workers_difference"] == 0
    assert few["energy_error_ratio"] != 1
    assert kernels["stages_share"] > 0.5
    assert kernels["epochs_to_plain"] <= 10
    for found in (cache, workers, few, kernels):
        assert set(found) <= set(training.RESULTS)
        assert all(np.isfinite(value) for value in found.values())


def test_frames_without_labels_are_refused():
    with pytest.raises(Unavailable, match=r"frame 0 has no energy, forces, torques: take .*gaussian_overlap"):
        training.prepare("plain", HYPERS, "fp64", "cpu", [Atoms("X")])
