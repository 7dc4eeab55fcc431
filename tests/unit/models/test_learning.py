"""What forces and torques are worth: smaller errors from as many frames, and models of real liquids."""

from __future__ import annotations

import itertools
import lzma
import os
from pathlib import Path

import ase.io
import numpy as np
import pytest

from anisweep.datasets.generators import ellipsoids, gaussian_overlap
from anisweep.models import RidgeModel
from tests.unit.descriptors.frames_for_tests import projection, shaped

#: Relative to the largest eigenvalue; the one with the smallest error on frames for validation is taken.
ALPHAS = (1e-8, 1e-6, 1e-4, 1e-2)


@pytest.fixture(scope="module")
def overlaps():
    """Crystals of two ellipsoids, with energies, forces and torques of their overlap."""
    frames = [frame for frame in ellipsoids.generate(frames=270, seed=1) if len(frame) == 2]
    return shaped(frames, "discs"), [gaussian_overlap.overlap(frame) for frame in frames]


def errors(model, frames, labels):
    """Of energies, over their spread; of forces and torques, over their size."""
    energies, derivatives = model.compute(frames)
    true = np.array([energy for energy, _, _ in labels])
    found = np.concatenate([derivatives.forces, derivatives.torques])
    expected = np.concatenate([label[place] for place in (1, 2) for label in labels])
    return np.std(energies - true) / np.std(true), np.linalg.norm(found - expected) / np.linalg.norm(expected)


def error_in_energies(calculator, overlaps, count, split, derivatives):
    """Of frames for tests, with the ridge that is best for frames for validation."""
    order = np.random.default_rng(split).permutation(len(overlaps[0]))
    (learned, labels), validation, test = (
        [[part[i] for i in places] for part in overlaps]
        for places in (order[:count], order[count : count + 20], order[-40:])
    )
    energies, forces, torques = zip(*labels, strict=True)
    more = {"forces": forces, "torques": torques} if derivatives else {}

    models = [RidgeModel.fit(calculator, learned, energies, alpha, **more) for alpha in ALPHAS]
    best = min(models, key=lambda model: sum(errors(model, *validation)[: 1 + derivatives]))
    return errors(best, *test)[0]


@pytest.mark.parametrize(("count", "bound"), [(10, 0.75), (30, 0.6), (100, 0.8)])
def test_forces_and_torques_are_worth_many_energies(overlaps, count, bound):
    """Medians of ten splits."""
    calculator = projection(6, cutoff=9.0, max_radial=4, cutoff_smoothing=1.0)
    energies, both = (
        np.median([error_in_energies(calculator, overlaps, count, split, more) for split in range(10)])
        for more in (False, True)
    )
    assert both <= bound * energies


@pytest.fixture(scope="module")
def benzenes():
    """Frames of 500 benzenes in the liquid, with net forces and torques on each, in kcal/mol and Angstrom.

    From the example trajectory of afmcg (H. T. L. Nguyen and D. M. Huang, CC-BY 4.0).
    """
    file = Path(os.environ.get("ANISWEEP_DATA", ""), "benzene-liquid.xyz.xz")
    if not file.is_file():
        pytest.skip("no data: ANISWEEP_DATA names no folder with benzene-liquid.xyz.xz")

    with lzma.open(file, "rt") as stream:
        frames = ase.io.read(stream, ":", format="extxyz")
    for frame in frames:
        for axis, diameter in enumerate((2.0, 2.0, 0.7), start=1):
            frame.arrays[f"c_diameter[{axis}]"] = np.full(len(frame), diameter)
    return frames


def test_liquid_benzene_is_learned_from_forces_and_torques(benzenes):
    calculator = projection(6, cutoff=9.0, radial_gaussian_width=1.2, basis_tol=1e-2, cutoff_smoothing=1.5)
    forces = [frame.get_forces() for frame in benzenes]
    torques = [frame.arrays["torques"] for frame in benzenes]
    errors = []

    for tested in itertools.combinations(range(6), 2):
        learned = [frame for frame in range(6) if frame not in tested]
        model = RidgeModel.fit(
            calculator,
            [benzenes[i] for i in learned],
            forces=[forces[i] for i in learned],
            torques=[torques[i] for i in learned],
            alpha=1e-10,
        )
        assert len(model.weights) <= 60
        found = model.compute([benzenes[i] for i in tested])[1]
        errors.append(
            (
                np.mean((found.forces - np.concatenate([forces[i] for i in tested])) ** 2),
                np.mean((found.torques - np.concatenate([torques[i] for i in tested])) ** 2),
            )
        )

    by_force, by_torque = np.sqrt(np.mean(errors, axis=0))
    assert by_force <= 2.52
    assert by_torque <= 4.72
