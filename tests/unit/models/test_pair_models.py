"""Linear models of pair features."""

import numpy as np
import pytest

from anisweep.descriptors import BadInput
from anisweep.models import RidgeModel, load
from tests.unit.descriptors.frames_for_tests import projection, random_frame, relative


def pair_model(frames):
    calculator = projection(4, cutoff=4.0, cutoff_smoothing=1.0)
    width = calculator.describe(frames, "pair_features", species=(1, 6)).values.shape[1]
    weights = np.random.default_rng(0).normal(size=width)
    return RidgeModel(calculator, weights, np.array([2.0, -3.0]), (1, 6), features="pair_features")


def test_a_linear_truth_is_found_again_and_kept(tmp_path):
    frames = [random_frame(4, (1, 6), edge=6.0, seed=n, shape="triaxial") for n in range(20)]
    reference = pair_model(frames)
    energies, derivatives = reference.compute(frames)

    model = RidgeModel.fit(
        *(reference.projection, frames, energies, 0),
        forces=derivatives.forces,
        torques=derivatives.torques,
        features="pair_features",
    )
    assert relative(model.weights, reference.weights) <= 1e-8
    assert np.abs(model.energies(frames) - energies).max() <= 1e-8

    model.save(tmp_path / "model.json")
    assert (load(tmp_path / "model.json").energies(frames) == model.energies(frames)).all()


def test_forces_are_those_of_the_energy():
    frame = random_frame(4, (1, 6), edge=6.0, seed=1, shape="triaxial")
    model = pair_model([frame])
    force = model.compute([frame])[1].forces[1, 2]

    step = 1e-4
    energies = []
    for factor in (-2, -1, 1, 2):
        moved = frame.copy()
        moved.positions[1, 2] += factor * step
        energies.append(float(model.energies([moved])[0]))
    slope = (energies[0] - 8 * energies[1] + 8 * energies[2] - energies[3]) / (12 * step)
    assert abs(force + slope) <= 1e-8 * np.abs(model.weights).max()


@pytest.mark.parametrize("features", ["coefficients", "spectrum", None])
def test_other_features_are_refused(features):
    with pytest.raises(BadInput, match=r"features must be one of power_spectrum, pair_features, not "):
        RidgeModel.fit(projection(1), [random_frame(2)], [1.0], features=features)
