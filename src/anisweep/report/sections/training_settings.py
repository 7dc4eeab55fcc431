"""Show how to train, and what to leave, as a folded table of the report."""

from __future__ import annotations

from anisweep.analysis.training_settings import LARGEST_ERROR, training_settings
from anisweep.formatting import plain
from anisweep.report.model import Measured, Table, Value
from anisweep.report.sections._entries import artifact_links

PLACE = 12

HEADS = ["system", "switch", "time / plain", "energies", "forces", "torques", "says", "artifacts"]

NOTE = (
    "Time of an epoch, or of a whole fit in closed form, and errors on frames that were held out, over those "
    f"of plain training. The fastest whose errors are at most {LARGEST_ERROR - 1:.0%} larger is to be taken; "
    "what is slower, or less accurate than that, is said."
)


def section(study: Measured) -> Table:
    """Make a table with a line for each set of data and each switch."""
    rows = [
        [
            Value(each.system),
            Value(each.series, strong=each.take),
            *(Value(plain(ratio), sort=ratio) for ratio in (each.time, *each.errors.values())),
            Value("take it" if each.take else "; ".join(each.pitfalls)),
            Value("", links=artifact_links(list(each.artifacts))),
        ]
        for each in training_settings(study.cells)
    ]
    return Table("How to train", HEADS, rows, note=NOTE)
