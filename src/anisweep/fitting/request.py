"""Define what a user asks of a fit."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from anisweep.describe.provenance import provenance
from anisweep.describe.request import Request
from anisweep.fitting.file_labels import LabelNames
from anisweep.models.labels import LabelWeights
from anisweep.models.settings import FitSettings


@dataclass(frozen=True)
class FitRequest:
    """Say which particles of which file a model learns from, which labels, and how.

    Attributes
    ----------
    particles : file, hyperparameters, how arrays are read, and the share of the frames
    names : of the labels
    settings : of the fit
    """

    particles: Request
    names: LabelNames = LabelNames()
    settings: FitSettings = FitSettings()

    def provenance(self, start: Path) -> dict[str, Any]:
        """Return everything that decides the bits; ``start`` is the file of source that fits."""
        own = {"labels": asdict(self.names), "settings": asdict(self.settings)}
        return {**provenance(self.particles, start), **own}

    @staticmethod
    def settings_of(origin: dict[str, Any]) -> FitSettings:
        """Return the settings that a provenance holds."""
        settings = origin["settings"]
        return FitSettings(**{**settings, "weights": LabelWeights(**settings["weights"])})
