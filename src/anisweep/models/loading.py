"""Read models of every kind from their files."""

from __future__ import annotations

import os

import numpy as np

from anisweep.descriptors.errors import BadInput
from anisweep.models import model_file
from anisweep.models.neural import NeuralModel
from anisweep.models.projections import projection_of
from anisweep.models.ridge import RidgeModel

KINDS = ("ridge", "neural")


def load(path: str | os.PathLike[str], threads: int = 1) -> RidgeModel | NeuralModel:
    """Read a model that ``model.save`` wrote; its energies have the same bits.

    Parameters
    ----------
    path : str or Path
        The file.
    threads : int
        Exactly so many threads compute.

    Returns
    -------
    RidgeModel or NeuralModel
        The model.

    Raises
    ------
    OSError
        When there is no such file.
    BadInput
        For a file that is no model, that is not whole or was changed, or that a newer version wrote.
    """
    content = model_file.read(path)
    if content["kind"] not in KINDS:
        raise BadInput(
            f"{path}: it is a {content['kind']} model, and this version knows {' and '.join(KINDS)}"
        )

    linear = RidgeModel(
        projection_of(content["hyperparameters"], threads),
        np.array(content["weights"]),
        np.array(content["intercepts"]),
        tuple(content["species"]),
        content["units"]["energy"],
        content.get("features", "power_spectrum"),
    )
    return linear if content["kind"] == "ridge" else NeuralModel.of(content, linear)
