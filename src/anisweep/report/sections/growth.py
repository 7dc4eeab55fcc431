"""Show how times grow, as a folded table of the report."""

from __future__ import annotations

from anisweep.analysis.growth import LEAST, growths
from anisweep.formatting import between, plain, whole
from anisweep.report.model import Measured, Table, Value
from anisweep.report.sections._entries import artifact_links

PLACE = 40

HEADS = [
    "mode",
    "what",
    "along",
    "from",
    "to",
    "points",
    "exponent",
    "95 % interval",
    "scatter",
    "replicates",
]
HEADS += ["artifacts"]

NOTE = (
    f"The exponent p of time ~ size^p wherever a study has {LEAST} sizes of one kind of data, {LEAST} "
    f"numbers of frames, or {LEAST} values of one hyperparameter; its interval is over replicates. The "
    "scatter is the factor by which times stay off the line: of several measures of size, the one with the "
    "least is what the time hangs on."
)


def section(study: Measured) -> Table:
    """Make a table with a line for each fitted exponent."""
    found = growths(study.cells)
    several = len({line.site for line in found}) > 1
    rows = [
        [
            Value(line.series),
            Value(line.where, note=line.site if several else ""),
            Value(line.along),
            Value(plain(line.smallest), sort=line.smallest),
            Value(plain(line.largest), sort=line.largest),
            Value(whole(line.points), sort=line.points),
            Value(plain(line.exponent), sort=line.exponent),
            Value(between(line.low, line.high)),
            Value(plain(line.scatter), sort=line.scatter),
            Value(whole(line.replicates), sort=line.replicates),
            Value("", links=artifact_links(list(line.artifacts))),
        ]
        for line in found
    ]
    return Table("How the time grows", HEADS, rows, note=NOTE)
