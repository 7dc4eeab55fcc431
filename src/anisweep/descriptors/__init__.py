"""AniSOAP's descriptors: equal to the published package's, thousands of times faster, with forces.

    from anisweep.descriptors import EllipsoidalDensityProjection

The mathematics stands beside the loops, in kernels/*.h.
"""

from anisweep.descriptors.described import Descriptors
from anisweep.descriptors.errors import BadInput
from anisweep.descriptors.projection import EllipsoidalDensityProjection

__all__ = ["BadInput", "Descriptors", "EllipsoidalDensityProjection"]
