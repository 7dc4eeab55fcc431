"""The labels of the overlapping Gaussians are derivatives of their energy."""

import numpy as np
import pytest
from ase import Atoms

from anisweep.datasets.generators import gaussian_overlap

STEP = 1e-4


def turned(quaternion, angles):
    scalar, vector = quaternion[0], quaternion[1:]
    whole = np.array(
        [scalar - angles @ vector / 2, *(vector + (angles * scalar + np.cross(angles, vector)) / 2)]
    )
    return whole / np.linalg.norm(whole)


def energy(frame: Atoms, particle: int, move=0.0, turn=0.0) -> float:
    changed = frame.copy()
    changed.positions[particle] += move
    changed.arrays["c_q"][particle] = turned(frame.arrays["c_q"][particle], np.zeros(3) + turn)
    return gaussian_overlap.overlap(changed)[0]


@pytest.mark.parametrize("number", [0, 1, 7])
def test_forces_and_torques_are_minus_the_derivatives_of_the_energy(number):
    frame = list(gaussian_overlap.generate(number + 1, seed=1))[number]
    _, forces, torques = gaussian_overlap.overlap(frame)

    for particle in range(len(frame)):
        for axis, step in enumerate(STEP * np.eye(3)):
            push = energy(frame, particle, move=-step) - energy(frame, particle, move=step)
            turn = energy(frame, particle, turn=-step) - energy(frame, particle, turn=step)
            assert push / (2 * STEP) == pytest.approx(forces[particle, axis], abs=1e-8)
            assert turn / (2 * STEP) == pytest.approx(torques[particle, axis], abs=1e-8)


def test_frames_carry_their_labels_and_do_not_depend_on_how_many_there_are():
    few, more = (list(gaussian_overlap.generate(count, seed=1)) for count in (2, 4))

    for frame, same in zip(few, more, strict=False):
        assert frame.info["energy"] == same.info["energy"] > 0
        assert np.array_equal(frame.arrays["forces"], same.arrays["forces"])
        assert np.array_equal(frame.arrays["torques"], same.arrays["torques"])
        assert np.abs(frame.arrays["forces"].sum(axis=0)).max() < 1e-8


def test_a_particle_alone_has_a_torque_by_its_images():
    frame = next(frame for frame in gaussian_overlap.generate(10, seed=1) if len(frame) == 1)

    assert np.abs(frame.arrays["torques"]).max() > 1e-4
