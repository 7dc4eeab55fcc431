"""Compute AniSOAP's descriptors: equal to the published package's, thousands of times faster, with forces.

The mathematics stands beside the loops, in kernels/*.h. What needs Torch is in
`anisweep.descriptors.torch_backend`.

Examples
--------
Two discs beside each other, the second of them upright:

>>> import numpy as np
>>> from ase import Atoms
>>> from anisweep.descriptors import EllipsoidalDensityProjection
>>> frame = Atoms("X2", positions=[[0, 0, 0], [4, 0, 0]])
>>> frame.arrays["quaternion"] = np.array([[1.0, 0, 0, 0], [1, 0, 1, 0]])
>>> for axis, diameter in enumerate([3.0, 3.0, 1.0], start=1):
...     frame.arrays[f"c_diameter[{axis}]"] = np.full(2, diameter)
>>> projection = EllipsoidalDensityProjection(
...     max_angular=6, radial_basis_name="gto", cutoff_radius=7.0, radial_gaussian_width=1.5
... )
>>> projection.power_spectrum([frame]).shape
(1, 44)
"""

from importlib import import_module
from typing import Any

from anisweep.descriptors.arrays import FrameArrays
from anisweep.descriptors.errors import BadInput
from anisweep.descriptors.features import Descriptors
from anisweep.descriptors.gradients import Gradients, Jacobian, gradients, jacobian, tangent
from anisweep.descriptors.projection import EllipsoidalDensityProjection

__all__ = [
    "BadInput",
    "Descriptors",
    "EllipsoidalDensityProjection",
    "FrameArrays",
    "Gradients",
    "Jacobian",
    "RidgeCalculator",
    "RidgeModel",
    "gradients",
    "jacobian",
    "tangent",
]

#: Models have a room of their own, which knows the descriptors and not the other way round. Their names are
#: also found here, as they always were, and imported when they are asked for.
MODELS = {"RidgeCalculator", "RidgeModel"}


def __getattr__(name: str) -> Any:
    """Import what is not imported yet."""
    if name in MODELS:
        return getattr(import_module("anisweep.models"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    """List what users need, and no more."""
    return __all__
