"""Give tasks an energy that is linear in the power spectrum.

Its weights are drawn at random, always the same, and scaled such that forces on the given frames are
1 eV/Angstrom as a root mean square. The cutoff is smooth, so that the energy has derivatives everywhere.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from anisweep.cell import Hypers
from anisweep.models import RidgeModel
from anisweep.tasks._learning import projection_for

#: Angstrom below the cutoff over which neighbours fade.
SMOOTHING = 1.0


def linear_energy(hypers: Hypers, frames: list[Any]) -> RidgeModel:
    """Return the energy as a model."""
    projection = projection_for(hypers, SMOOTHING)
    species = projection.gather(frames).species

    features = projection.describe(frames[:1], species=species.tolist()).values.shape[1]
    weights = np.asarray(np.random.default_rng(1).normal(size=features))
    model = RidgeModel(projection, weights, np.zeros(len(species)), tuple(species.tolist()), "eV")

    _, derivatives = model.compute(frames)
    size = np.sqrt((derivatives.forces**2).sum(axis=1).mean())
    return replace(model, weights=np.divide(weights, size or 1.0))
