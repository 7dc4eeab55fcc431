"""What the power spectrum must not feel, and what it must."""

import numpy as np
import pytest
from ase import Atoms
from cases import ON_CPU, canonical, random_frames, relative_error, run
from scipy.spatial.transform import Rotation

pytest.importorskip("anisoap", reason="no anisoap")

TURN = Rotation.from_euler("zyx", [0.7, -1.1, 2.3])


def spectrum(mode, frames):
    return run(mode, frames, "power_spectrum", cutoff_radius=6.0)


def turned_quaternions(quaternions):
    """Orientations after the turn; scipy has the real part last, canonical frames have it first."""
    turned = TURN * Rotation.from_quat(np.roll(quaternions, -1, axis=1))
    return np.roll(turned.as_quat(), 1, axis=1)


def rotated(frame):
    cell = TURN.apply(frame.cell.array)
    atoms = Atoms(frame.numbers, TURN.apply(frame.positions), cell=cell, pbc=True)
    return canonical(atoms, turned_quaternions(frame.arrays["c_q"]))


def only_orientations_rotated(frame):
    turned = frame.copy()
    turned.arrays["c_q"] = turned_quaternions(frame.arrays["c_q"])
    return turned


def translated(frame):
    moved = frame.copy()
    moved.positions += [0.3, -1.7, 12.9]
    return moved


def permuted(frame):
    return frame[np.random.default_rng(5).permutation(len(frame))]


def sign_changed(frame):
    changed = frame.copy()
    changed.arrays["c_q"] *= -1
    return changed


def inverted(frame):
    """A lattice and an ellipsoid are their own inversions: only the positions change."""
    changed = frame.copy()
    changed.positions *= -1
    return changed


@pytest.mark.parametrize("change", [rotated, translated, permuted, sign_changed, inverted])
@pytest.mark.parametrize("mode", ON_CPU)
def test_the_power_spectrum_does_not_feel(mode, change):
    frames = random_frames()
    changed = [change(frame) for frame in frames]

    assert relative_error(spectrum(mode, changed), spectrum(mode, frames)) <= 1e-12


@pytest.mark.parametrize("mode", ON_CPU)
def test_the_power_spectrum_feels_a_rotation_of_the_orientations_alone(mode):
    frames = random_frames()
    changed = [only_orientations_rotated(frame) for frame in frames]

    assert relative_error(spectrum(mode, changed), spectrum(mode, frames)) > 1e-2
