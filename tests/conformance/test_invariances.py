"""What the power spectrum must not feel, and what it must."""

import pytest
from cases import ON_CPU, random_frames, relative_error, run

from anisweep.worker.invariances import (
    inverted,
    only_orientations_rotated,
    permuted,
    rotated,
    sign_changed,
    translated,
)

pytest.importorskip("anisoap", reason="no anisoap")


def spectrum(mode, frames):
    return run(mode, frames, "power_spectrum", cutoff_radius=6.0)


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
