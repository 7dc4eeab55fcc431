"""Shards of frames: together they are one process, and processes of their own say how long they took."""

import numpy as np
import pytest

from anisweep.cell import Hypers
from anisweep.datasets.generators import ellipsoids, gaussian_overlap
from anisweep.descriptors import EllipsoidalDensityProjection
from anisweep.modes import Unavailable
from anisweep.tasks import _sharded, sharding
from anisweep.worker.clock import Clock, Silent

HYPERS = Hypers(max_angular=2, max_radial=1, cutoff_radius=6.0)
FRAMES = list(gaussian_overlap.generate(9, seed=3))


def prepared(mode, frames=FRAMES):
    return sharding.prepare(mode, HYPERS, "fp64", "cpu", frames)


@pytest.fixture
def one_process(monkeypatch):
    """Computes shards in this process, and says by their numbers of frames how long each took."""

    def give(seconds):
        def compute(shard):
            shard.compute()
            frames = shard.output.with_suffix(".xyz").read_text().count("Properties")
            return 1.5, seconds[frames]

        monkeypatch.setattr(sharding, "in_a_new_process", compute)

    return give


def test_features_of_shards_are_those_of_the_library():
    projection = EllipsoidalDensityProjection(**HYPERS.arguments, rotation_key="c_q")
    right = projection.describe(FRAMES, "power_spectrum", per_centre=True).values

    for mode in ("describe_1", "describe_2", "describe_4"):
        clock = Clock()
        found = sharding.compute(prepared(mode), FRAMES, clock)
        assert found.tobytes() == right.tobytes()
        assert set(clock.seconds) == {"split", "shards", "merge"}


def test_weights_of_shards_are_those_of_one_process():
    right = sharding.compute(prepared("fit_1"), FRAMES, Silent())

    for mode in ("fit_2", "fit_4"):
        found = sharding.compute(prepared(mode), FRAMES, Silent())
        assert np.abs(found - right).max() <= 1e-10 * np.abs(right).max()


@pytest.mark.parametrize("what", ["describe", "fit"])
def test_efficiency_is_what_one_process_takes_over_what_all_shards_take(one_process, what):
    one_process({9: 8.0, 4: 4.0, 5: 6.0})

    found = sharding.results(prepared(f"{what}_2"), FRAMES)

    assert set(found) <= set(sharding.RESULTS)
    assert (found["efficiency"], found["balanced_efficiency"]) == (0.8, 8 / 12)
    assert (found["compute_s"], found["start_s"]) == (10.0, 1.5)
    assert found["differing_bytes"] == 0
    assert found.get("weight_difference", 0) <= 1e-10
    assert ("weight_difference" in found) == (what == "fit")


def test_one_process_has_no_efficiency(one_process):
    one_process({9: 8.0})

    assert sharding.results(prepared("describe_1"), FRAMES) == {"compute_s": 8.0, "start_s": 1.5}


def test_a_bit_that_differs_is_counted(one_process, monkeypatch):
    one_process({9: 8.0, 4: 4.0, 5: 6.0})
    merged = sharding.merged

    def turned(shards):
        found = merged(shards)
        found[-1] *= 1 + (len(shards) - 1) * 1e-15
        return found

    monkeypatch.setattr(sharding, "merged", turned)

    assert sharding.results(prepared("describe_2"), FRAMES)["differing_bytes"] > 0


def test_a_process_of_its_own_computes_the_same_and_says_how_long(tmp_path):
    here, there = (_sharded.divided(FRAMES, 1, HYPERS, False, tmp_path / name)[0] for name in ("a", "b"))
    here.compute()
    start_s, compute_s = _sharded.in_a_new_process(there)

    assert there.output.read_bytes() == here.output.read_bytes()
    assert start_s > 0
    assert compute_s > 0


def test_what_cannot_be_divided_or_learned_is_unavailable():
    with pytest.raises(Unavailable, match="3 frames are too few for 4 shards"):
        prepared("describe_4", FRAMES[:3])
    with pytest.raises(Unavailable, match="frame 0 has no energy, forces, torques: take the data set"):
        prepared("fit_2", list(ellipsoids.generate(3, seed=1)))
