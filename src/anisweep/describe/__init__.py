"""Compute the features of a user's own file: ``anisweep describe`` and ``anisweep merge``."""

from anisweep.describe.cache import describe_cached
from anisweep.describe.merge import merge
from anisweep.describe.particles import order_to_check, taken_for_granted
from anisweep.describe.request import Request, Shard
from anisweep.describe.run import Progress, describe

__all__ = [
    "Progress",
    "Request",
    "Shard",
    "describe",
    "describe_cached",
    "merge",
    "order_to_check",
    "taken_for_granted",
]
