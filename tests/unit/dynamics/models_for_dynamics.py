"""Models that particles move with, and frames in which they do."""

import numpy as np

from anisweep.models import RidgeModel
from tests.unit.descriptors.frames_for_tests import projection, random_frame


def model(species=(1,), seed=0, scale=0.3, unit="eV", **settings):
    """A model whose energies vary by about so much a particle."""
    settings = {"cutoff_smoothing": 1.0, **settings}
    calculator = projection(4, cutoff=5.0, **settings)
    frames = [random_frame(seed=each, species=species, edge=7.0) for each in range(8)]
    features = calculator.describe(frames, species=species).values
    weights = np.random.default_rng(seed).normal(size=features.shape[1])
    weights *= scale / np.std(features @ weights)
    return RidgeModel(calculator, weights, np.zeros(len(species)), tuple(species), unit)


def lattice(sites=2, spacing=4.5, species=(1,), seed=0, skew=0.25):
    """Discs of mass 78 near the sites of a lattice in a triclinic cell."""
    generator = np.random.default_rng(seed)
    frame = random_frame(sites**3, species, shape="discs")
    cell = np.eye(3) + skew * np.array([[0, 0.3, -0.2], [1, 0, 0.4], [-0.6, 0.8, 0]])
    frame.cell = sites * spacing * cell
    frame.positions = (np.indices((sites,) * 3).reshape(3, -1).T + 0.2) / sites @ frame.cell.array
    frame.positions += generator.normal(0, 0.15, (len(frame), 3))
    frame.arrays["c_q"] = generator.normal(size=(len(frame), 4))
    frame.arrays["mass"] = np.full(len(frame), 78.0)
    frame.arrays["moments"] = np.tile([88.0, 92.0, 179.0], (len(frame), 1))
    return frame
