"""Learn energies, forces, torques and stresses from descriptors, and compute them.

A model is one energy, so that forces, torques and stresses are its exact derivatives. What is here needs
NumPy and ASE alone.
"""

from anisweep.models.calculator import AniSOAPCalculator, RidgeCalculator
from anisweep.models.labels import LabelWeights
from anisweep.models.ridge import RidgeModel, load

__all__ = ["AniSOAPCalculator", "LabelWeights", "RidgeCalculator", "RidgeModel", "load"]
