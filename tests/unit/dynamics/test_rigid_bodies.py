"""Rigid bodies conserve what they must, also many systems at a time."""

from __future__ import annotations

import numpy as np
import pytest
from models_for_dynamics import lattice, model

from anisweep.descriptors import BadInput
from anisweep.dynamics import Langevin, RigidBodies


def drift(bodies: RigidBodies, step: float, duration: float = 200.0) -> float:
    """The largest change of the total energy."""
    before, largest = bodies.total_energies, 0.0
    for _ in range(round(duration / step)):
        bodies.run(1, step)
        largest = max(largest, float(np.abs(bodies.total_energies - before).max()))
    return largest


def test_the_energy_changes_by_a_quarter_where_the_step_is_half():
    learned, frame = model(), lattice()
    changes = [drift(RigidBodies(learned, [frame]), step) for step in (2.0, 1.0, 0.5)]

    assert 3.5 <= changes[0] / changes[1] <= 4.5
    assert 3.5 <= changes[1] / changes[2] <= 4.5


def test_a_sharp_cutoff_is_refused_and_drifts():
    sharp, frame = model(cutoff_smoothing=None), lattice()
    with pytest.raises(BadInput, match=r"cutoff_smoothing, for example 1.0; or say sharp_cutoff=True"):
        RigidBodies(sharp, [frame])

    def changes(learned, step):
        bodies = RigidBodies(learned, [frame], sharp_cutoff=True)
        bodies.draw_velocities(300)
        return drift(bodies, step)

    coarse, fine = (changes(sharp, step) for step in (2.0, 0.5))
    assert fine > coarse / 2
    assert fine > 100 * changes(model(), 0.5)


def test_systems_move_in_a_batch_as_they_move_alone():
    learned = model(species=(1, 2))
    frames = [lattice(species=species, seed=seed) for seed, species in enumerate([(1,), (1, 2), (2,)])]
    together = RigidBodies(learned, frames)
    together.run(20, 2.0)

    for frame, batched in zip(frames, together.frames(), strict=True):
        alone = RigidBodies(learned, [frame])
        alone.run(20, 2.0)
        for name in ("positions", "c_q"):
            assert np.abs(batched.arrays[name] - alone.frames()[0].arrays[name]).max() < 1e-12
        assert np.abs(batched.positions - frame.positions).max() > 1e-3


def test_the_same_seed_gives_the_same_bits():
    learned, frame = model(), lattice()

    def moved(seed: int) -> np.ndarray:
        bodies = RigidBodies(learned, [frame], seed=seed)
        bodies.draw_velocities(300)
        bodies.run(10, 2.0, Langevin(300, damping=100))
        return bodies.frames()[0].arrays["c_q"]

    assert np.array_equal(moved(1), moved(1))
    assert not np.array_equal(moved(1), moved(2))
