"""Features of a user's own file: ``anisweep describe`` and ``anisweep merge``."""

from anisweep.features.merge import merge
from anisweep.features.request import Request, Shard
from anisweep.features.run import Progress, describe

__all__ = ["Progress", "Request", "Shard", "describe", "merge"]
