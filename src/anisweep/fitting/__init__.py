"""Fit models to a user's own file, and test them: ``anisweep fit`` and ``anisweep evaluate``."""

from anisweep.fitting.evaluation import LabelErrors, evaluate
from anisweep.fitting.file_labels import LabelNames
from anisweep.fitting.merge import merge
from anisweep.fitting.request import FitRequest
from anisweep.fitting.run import Fitted, fit

__all__ = ["FitRequest", "Fitted", "LabelErrors", "LabelNames", "evaluate", "fit", "merge"]
