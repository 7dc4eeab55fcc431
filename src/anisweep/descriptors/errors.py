"""Define the errors about wrong input, whose messages say how to correct it."""

from __future__ import annotations


class BadInput(ValueError):
    """Raised for a frame, particle, array or hyperparameter that is not possible; the text names it."""


class NoThreads(RuntimeError):
    """Raised when the system started fewer threads than were asked for."""
