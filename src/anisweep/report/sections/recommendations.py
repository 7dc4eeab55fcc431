"""Show which way to compute is recommended, as a folded table of the report."""

from __future__ import annotations

from anisweep.analysis.recommendations import recommendations
from anisweep.formatting import NOTHING, between, milliseconds, plain, whole
from anisweep.report.model import Measured, Table, Value
from anisweep.report.sections._entries import artifact_links

PLACE = 10

HEADS = ["system", "take", "may be as fast", "mean / ms", "time / reference", "95 % interval", "error"]
HEADS += ["frames in an hour", "pays from", "artifacts"]

NOTE = (
    "For each system the fastest way whose every row is right. It pays from so many computations on, when "
    "its constructor and first call take longer than the reference's; imports are not counted. The error is "
    "the worst max |difference| / max |reference|."
)


def section(study: Measured) -> Table:
    """Make a table with a line for each problem."""
    found = recommendations(study.cells, study.summary)
    several = len({each.site for each in found}) > 1
    rows = [
        [
            Value(each.system, note=each.site if several else ""),
            Value(each.series, strong=True),
            Value(", ".join(each.as_fast) or NOTHING),
            Value(milliseconds(each.seconds), sort=each.seconds),
            Value(plain(each.ratio), sort=each.ratio),
            Value(between(each.low, each.high)),
            Value(plain(each.error), sort=each.error),
            Value(whole(each.frames_per_hour), sort=each.frames_per_hour),
            Value(whole(each.pays_from), sort=each.pays_from),
            Value("", links=artifact_links(list(each.artifacts))),
        ]
        for each in found
    ]
    return Table("What to take", HEADS, rows, note=NOTE)
