"""Show the hyperparameters of a study."""

from __future__ import annotations

from anisweep.report.model import Measured, Table, Value
from anisweep.tables.names import hypers_in_words

PLACE = 150


def section(study: Measured) -> Table:
    """Make a table with a line for each set."""
    sets = list(dict.fromkeys(study.summary["hypers"]))
    return Table("Hyperparameters", ["lengths in Å"], [[Value(hypers_in_words(text))] for text in sets])
