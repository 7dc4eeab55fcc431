"""Show what conversion costs in a study, and whether it or the kernels are slow, as a folded table."""

from __future__ import annotations

from anisweep.analysis.conversion import conversions
from anisweep.formatting import between, plain, share
from anisweep.report.model import Measured, Table, Value
from anisweep.report.sections._entries import artifact_links

PLACE = 50

HEADS = ["system", "mode", "answer", "because", "time / reference", "95 % interval", "conversion"]
HEADS += ["ratio without it", "artifacts"]

NOTE = (
    "Conversion is the answer when it is more than half of the time that a mode loses against the reference, "
    "or when without it the mode were faster. `tables/conversion.json` holds the same."
)


def section(study: Measured) -> Table:
    """Make a table with a line for each point of a mode that converts."""
    rows = [
        [
            Value(made.system),
            Value(made.mode),
            Value(made.answer, strong=made.answer != "inconclusive"),
            Value(made.because),
            Value(plain(made.ratio), sort=made.ratio),
            Value(between(made.low, made.high)),
            Value(share(made.conversion), sort=made.conversion),
            Value(plain(made.without_conversion), sort=made.without_conversion),
            Value("", links=artifact_links(list(made.artifacts))),
        ]
        for made in conversions(study.summary)
    ]
    return Table("Is it conversion, or kernels and threads?", HEADS, rows, note=NOTE)
