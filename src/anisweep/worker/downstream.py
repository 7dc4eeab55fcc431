"""Test the descriptors by a ridge regression of the energies in a data set.

Nine tenths of the frames teach, with the penalty chosen by five-fold cross-validation; the rest is
predicted. The same is done with the energies shuffled among the frames: what is learned then is nothing, so a
model that does no better has learned nothing either, and says nothing about the mode.
"""

from __future__ import annotations

import numpy as np
from ase import Atoms

from anisweep.datasets.canonical import ENERGY

TEACHING = 0.9
FOLDS = 5
PENALTIES = np.logspace(-8, 2, 11)

#: Of the split and of the shuffling: the same frames for every mode.
SEED = 0

#: Fewer frames than this leave nothing to predict.
LEAST = 20


def energies_of(frames: list[Atoms]) -> np.ndarray | None:
    """Return the energies (frames,) if all frames have one and there are enough of them; else ``None``."""
    if len(frames) < LEAST or not all(ENERGY in frame.info for frame in frames):
        return None
    return np.array([frame.info[ENERGY] for frame in frames], dtype=float)


def learn(features: np.ndarray, energies: np.ndarray) -> dict[str, float]:
    """Return R^2 and root mean square error of the held-out frames, and R^2 with shuffled energies.

    Parameters
    ----------
    features : shape (frames, features)
    energies : shape (frames,)
    """
    rng = np.random.default_rng(SEED)
    order = rng.permutation(len(energies))
    taught, asked = np.split(order, [int(TEACHING * len(order))])

    r2, error = _fit(features, energies, taught, asked)
    r2_shuffled, _ = _fit(features, rng.permutation(energies), taught, asked)
    return {"r2": r2, "rmse": error, "r2_shuffled": r2_shuffled}


def _fit(
    features: np.ndarray, energies: np.ndarray, taught: np.ndarray, asked: np.ndarray
) -> tuple[float, float]:
    from sklearn.linear_model import RidgeCV
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    model = make_pipeline(StandardScaler(), RidgeCV(PENALTIES, cv=FOLDS))
    model.fit(features[taught], energies[taught])
    wrong = model.predict(features[asked]) - energies[asked]
    spread = energies[asked] - energies[asked].mean()
    return float(1 - (wrong**2).sum() / (spread**2).sum()), float(np.sqrt((wrong**2).mean()))
