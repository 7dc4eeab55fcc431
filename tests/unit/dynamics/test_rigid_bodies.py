"""Rigid bodies conserve what they must, also many systems at a time."""

from __future__ import annotations

import numpy as np
import pytest
from models_for_dynamics import lattice, model

from anisweep import read_particles
from anisweep.datasets.user_files.userfile import read_any
from anisweep.descriptors import BadInput
from anisweep.dynamics import Langevin, RigidBodies, pair_correlations


def energy(bodies: RigidBodies) -> np.ndarray:
    return bodies.energies + bodies.kinetic_energies


def drift(bodies: RigidBodies, step: float, duration: float = 200.0) -> float:
    """The largest change of the total energy."""
    before, largest = energy(bodies), 0.0
    for _ in range(round(duration / step)):
        bodies.run(1, step)
        largest = max(largest, float(np.abs(energy(bodies) - before).max()))
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


def test_a_heat_bath_keeps_its_temperature_and_a_file_grows(tmp_path):
    frame = lattice(4)
    bodies = RigidBodies(model(), [frame], seed=1)
    bodies.draw_velocities(300)
    temperatures = []
    for _ in range(150):
        bodies.run(1, 2.0, Langevin(300, damping=20))
        temperatures.append(bodies.temperatures[0])
    assert abs(np.mean(temperatures[50:]) - 300) < 0.1 * 300

    with pytest.raises(BadInput, match="every must be a whole number from 1 on, not 0"):
        bodies.run(4, 2.0, every=0)
    bodies.run(4, 2.0, trajectory=tmp_path / "run.xyz", every=2)
    with pytest.raises(FileExistsError, match="no trajectory is overwritten: choose another name"):
        bodies.run(4, 2.0, trajectory=tmp_path / "run.xyz")
    written = list(read_any(tmp_path / "run.xyz"))
    now = bodies.frames()[0]
    assert len(written) == 2
    for name in ("positions", "c_q", "torques", "moments"):
        assert (
            np.abs(written[-1].arrays[name] - now.arrays[name]).max() < 1e-8 * np.abs(now.arrays[name]).max()
        )


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"masses": [78.0] * 7 + [0]}, "frame 0, particle 7: mass must be positive and finite, and is 0.0"),
        ({"inertia": [1.0, 2.0]}, r"moments must be numbers of shape \(8, 3\), or \(3,\)"),
        ({"inertia": [1.0, 2.0, np.nan]}, "frame 0, particle 0: moments must be positive"),
        ({"unit": "Ry"}, "the unit of energy is 'Ry': give unit="),
    ],
)
def test_what_cannot_move_is_refused(change, message):
    with pytest.raises(BadInput, match=message):
        RigidBodies(model(), [lattice()], **change)


def test_particles_that_are_thrown_away_are_named():
    bodies = RigidBodies(model(), [lattice()])
    bodies.velocities[3] = 1e9
    with pytest.raises(BadInput, match="after 1 steps: frame 0, particle 3: positions"):
        bodies.run(2, 2.0)


def test_spheres_in_disorder_have_no_correlations_and_crystals_have():
    frame = lattice(8)
    frame.positions = np.random.default_rng(0).uniform(size=(512, 3)) @ frame.cell.array
    g, g2 = pair_correlations([frame], np.array([0, 5.0, 7, 9]))
    assert np.abs(g - 1).max() < 0.1
    assert np.abs(g2).max() < 0.1

    frame.arrays["c_q"][:] = [1, 2, 3, 4]
    assert np.abs(pair_correlations([frame], np.array([0, 5.0]))[1] - 1).max() < 1e-12


def test_a_run_goes_on_from_its_file(tmp_path):
    frames = [lattice(seed=k) for k in range(2)]
    for frame in frames:
        frame.info["timestep"] = 4160
    whole, first = (RigidBodies(model(), frames, seed=2) for _ in range(2))
    for bodies in (whole, first):
        bodies.draw_velocities(200)
    whole.run(20, 1.0)
    first.run(10, 1.0, trajectory=tmp_path / "run.xyz", every=5)

    kept = read_particles(tmp_path / "run.xyz")
    assert [frame.info["time"] for frame in kept] == [5.0, 5.0, 10.0, 10.0]
    assert [frame.info["energy"] for frame in kept[-2:]] == pytest.approx(first.energies.tolist())
    assert not any("timestep" in frame.info for frame in kept)

    second = RigidBodies(model(), kept[-2:])
    assert second.temperatures == pytest.approx(first.temperatures)
    second.run(10, 1.0)
    for name in ("forces", "velocities", "angular_momenta"):
        found, expected = getattr(second, name), getattr(whole, name)
        assert np.abs(found - expected).max() <= 1e-6 * np.abs(expected).max()

    kept[-1].arrays["velocities"][3, 1] = np.nan
    with pytest.raises(BadInput, match="frame 1, particle 3: velocities must be finite"):
        RigidBodies(model(), kept[-2:])
