"""Conversion, or kernels? The decisions of a study as a folded table."""

from __future__ import annotations

import pandas as pd

from anisweep.decision import decisions
from anisweep.report.content import Table, Value
from anisweep.report.details import artifact_links
from anisweep.report.numbers import between, plain, share

HEADS = ["system", "mode", "answer", "because", "time / reference", "95 % interval", "conversion"]
HEADS += ["ratio without it", "artifacts"]

NOTE = (
    "Conversion is the answer when it is more than half of the time that a mode loses against the reference, "
    "or when without it the mode were faster. `tables/decision.json` holds the same."
)


def conversion_table(summary: pd.DataFrame) -> Table:
    """A line for each point of a mode that converts.

    Parameters
    ----------
    summary : what `anisweep.tables.summary_table` gives
    """
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
        for made in decisions(summary)
    ]
    return Table("Is it conversion, or kernels and threads?", HEADS, rows, note=NOTE)
