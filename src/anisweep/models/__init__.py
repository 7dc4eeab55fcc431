"""Learn energies, forces, torques and stresses from descriptors, and compute them.

A model is one energy, so that forces, torques and stresses are its exact derivatives. What is here needs
NumPy and ASE alone; only to train a neural model, and to export models for GPUs, needs Torch.
"""

from importlib import import_module
from typing import Any

from anisweep.models.calculator import AniSOAPCalculator, RidgeCalculator
from anisweep.models.labels import LabelWeights
from anisweep.models.loading import load
from anisweep.models.neural import NeuralModel
from anisweep.models.ridge import RidgeModel
from anisweep.models.settings import FitSettings, TrainingSettings

__all__ = [
    "AniSOAPCalculator",
    "ExportedModel",
    "FitSettings",
    "LabelWeights",
    "NeuralModel",
    "RidgeCalculator",
    "RidgeModel",
    "Trained",
    "TrainingSettings",
    "export",
    "load",
    "load_exported",
    "train",
]


def __getattr__(name: str) -> Any:
    """Import what needs Torch when it is asked for."""
    if name in ("Trained", "train"):
        return getattr(import_module("anisweep.models.training"), name)
    if name in ("ExportedModel", "export", "load_exported"):
        return getattr(import_module("anisweep.models.exporting"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
