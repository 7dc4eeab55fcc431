"""Define the settings of a fit in closed form."""

from __future__ import annotations

from dataclasses import dataclass, field
from numbers import Integral, Real
from typing import Any

from anisweep.descriptors.arrays import FrameArrays
from anisweep.descriptors.errors import BadInput
from anisweep.descriptors.kernels.run import Output
from anisweep.descriptors.projection import EllipsoidalDensityProjection
from anisweep.models.labels import LabelWeights, TrainingLabels
from anisweep.models.rows import with_a_part_of_the_particles, without_weightless

#: What a model can be linear in: invariants.
INVARIANT = ("power_spectrum", "pair_features")


@dataclass(frozen=True)
class FitSettings:
    """Say how `RidgeModel.fit` fits; its documentation explains each.

    Raises
    ------
    BadInput
        For what makes no sense.
    """

    alpha: float = 1e-6
    weights: LabelWeights = field(default_factory=LabelWeights)
    force_fraction: float = 1.0
    seed: int = 0
    features: Output = "power_spectrum"
    unit: str = ""

    def __post_init__(self) -> None:
        alpha, weights, fraction, seed = self.alpha, self.weights, self.force_fraction, self.seed
        if not _is_number(alpha) or not 0 <= alpha < float("inf"):
            raise BadInput(f"alpha must be a number from 0 on, not {alpha!r}")
        if not isinstance(weights, LabelWeights):
            raise BadInput(
                f"weights must be LabelWeights, for example LabelWeights(forces=10), not {weights!r:.80}"
            )
        if not _is_number(fraction) or not 0 < fraction <= 1:
            raise BadInput(f"force_fraction must be a number above 0, and at most 1, not {fraction!r}")
        if not isinstance(seed, Integral) or isinstance(seed, bool) or seed < 0:
            raise BadInput(f"seed must be a whole number from 0 on, not {seed!r}")
        if self.features not in INVARIANT:
            raise BadInput(f"features must be one of {', '.join(INVARIANT)}, not {self.features!r:.80}")

    def require_all_centres(self, projection: EllipsoidalDensityProjection) -> None:
        """Raise ``BadInput`` for a projection that leaves some particles out."""
        if projection.drop_isolated:
            raise BadInput("each particle must count: give a projection without drop_isolated")

    def wanted(self, labels: TrainingLabels, arrays: FrameArrays, before: int = 0) -> TrainingLabels:
        """Return the labels that count: of kinds with a weight, and of a part of the particles.

        Parameters
        ----------
        before : number of particles in the frames before these
        """
        labels = without_weightless(labels, self.weights)
        return with_a_part_of_the_particles(labels, arrays, self.force_fraction, self.seed, before)


def _is_number(value: Any) -> bool:
    return isinstance(value, Real) and not isinstance(value, bool)
