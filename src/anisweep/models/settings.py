"""Define the settings of a fit in closed form."""

from __future__ import annotations

from dataclasses import dataclass, field
from numbers import Integral

from anisweep.descriptors.arrays import FrameArrays
from anisweep.descriptors.errors import BadInput
from anisweep.descriptors.kernels.run import Output
from anisweep.descriptors.projection import EllipsoidalDensityProjection
from anisweep.models.labels import LabelWeights, TrainingLabels, is_real
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
        if not is_real(alpha) or not 0 <= alpha < float("inf"):
            raise BadInput(f"alpha must be a number from 0 on, not {alpha!r}")
        if not isinstance(weights, LabelWeights):
            raise BadInput(
                f"weights must be LabelWeights, for example LabelWeights(forces=10), not {weights!r:.80}"
            )
        if not is_real(fraction) or not 0 < fraction <= 1:
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


@dataclass(frozen=True)
class TrainingSettings:
    """Say how `train` trains a neural model.

    Attributes
    ----------
    fit : FitSettings
        Features, weights of the labels, part of the particles, seed and unit; alpha is that of the linear
        model which the networks add to.
    hidden : tuple of int
        Sizes of the layers of each species' network.
    validation : float
        Part of the frames that are not learned from; the epoch with the smallest error on them is kept.
    epochs, batch : int
        How often each frame is seen, and how many frames a step takes.
    learning_rate : float
        Of Adam.
    precision : str
        ``fp64``, ``fp32``, or ``auto``: ``fp64`` on CPUs; ``fp32`` on CUDA, whose processors are made for it.
    device : str
        Of Torch: ``cpu``, ``cuda``.

    Raises
    ------
    BadInput
        For what makes no sense.
    """

    fit: FitSettings = field(default_factory=FitSettings)
    hidden: tuple[int, ...] = (64, 64)
    validation: float = 0.1
    epochs: int = 100
    batch: int = 4
    learning_rate: float = 3e-3
    precision: str = "auto"
    device: str = "cpu"

    def __post_init__(self) -> None:
        for name, sizes in (("epochs", [self.epochs]), ("batch", [self.batch]), ("hidden", self.hidden)):
            if not isinstance(sizes, list | tuple):
                raise BadInput(f"{name} must be several numbers, as (64, 64), not {sizes!r:.80}")
            if not all(isinstance(size, Integral) and size > 0 for size in sizes):
                raise BadInput(f"{name} must be whole and above 0, not {getattr(self, name)!r:.80}")
        if not is_real(self.validation) or not 0 < self.validation < 1:
            raise BadInput(f"validation must be a number between 0 and 1, not {self.validation!r:.80}")
        if not is_real(self.learning_rate) or not 0 < self.learning_rate < float("inf"):
            raise BadInput(f"learning_rate must be a number above 0, not {self.learning_rate!r:.80}")
        if self.precision not in ("auto", "fp64", "fp32"):
            raise BadInput(f"precision must be auto, fp64 or fp32, not {self.precision!r:.80}")

    @property
    def rounding(self) -> str:
        """Return the precision that is taken."""
        automatic = "fp32" if self.device.startswith("cuda") else "fp64"
        return automatic if self.precision == "auto" else self.precision
