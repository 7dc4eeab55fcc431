"""Compute AniSOAP's descriptors in Torch: on any device, in several precisions, within differentiable models.

    from anisweep.descriptors.torch_backend import TorchProjection

Only this package needs Torch. Its mathematics, other than that of the kernels for CPUs, is in `oscillator`.
"""

from importlib.util import find_spec

if find_spec("torch") is None:
    raise ImportError("TorchProjection needs Torch: pip install torch; EllipsoidalDensityProjection does not")

from anisweep.descriptors.torch_backend.batch import Batch, Neighbours
from anisweep.descriptors.torch_backend.projection import TorchProjection

__all__ = ["Batch", "Neighbours", "TorchProjection"]
