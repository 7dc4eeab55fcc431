"""What can be wrong with the input, said so that it can be mended."""

from __future__ import annotations


class BadInput(ValueError):
    """A frame, particle, array or hyperparameter that cannot be computed with; the text names it."""


class NoThreads(RuntimeError):
    """The system started fewer threads than were asked for."""
