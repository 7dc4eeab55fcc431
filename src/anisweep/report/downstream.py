"""What descriptors are good for, as a folded table of the report."""

from __future__ import annotations

import pandas as pd

from anisweep.report.content import Table, Value
from anisweep.report.details import artifact_links
from anisweep.report.numbers import plain
from anisweep.tables.names import with_names

HEADS = ["system", "mode", "R²", "error", "R², shuffled", "says", "artifacts"]

#: Of the variance of held-out energies: with less, a model has not learned what its mode could have spoiled.
LEARNED = 0.8

NOTE = (
    "Ridge regression of the energies that the data carry: nine tenths of the frames teach, the penalty is "
    "chosen by five-fold cross-validation, the rest is predicted. With an R² of less than "
    f"{LEARNED}, or not above that of shuffled energies, the check says nothing about the mode."
)


def downstream_table(cells: pd.DataFrame) -> Table:
    """A line for each system and mode, where a study measures it.

    Parameters
    ----------
    cells : what `anisweep.tables.cells_table` gives
    """
    if "downstream_r2" not in cells:
        return Table("What a model learns", HEADS, [])

    named = with_names(cells.dropna(subset=["downstream_r2"]))
    rows = [
        [
            Value(str(system)),
            Value(str(series)),
            _value(lines["downstream_r2"].mean()),
            _value(lines["downstream_rmse"].mean()),
            _value(lines["downstream_r2_shuffled"].mean()),
            Value(_says(lines)),
            Value("", links=artifact_links(sorted(set(lines["artifact"])))),
        ]
        for (system, series), lines in named.groupby(["system", "series"], sort=False)
    ]
    return Table("What a model learns", HEADS, rows, note=NOTE)


def _says(lines: pd.DataFrame) -> str:
    learned = lines["downstream_r2"].min()
    return "it learns" if learned >= LEARNED > lines["downstream_r2_shuffled"].max() else "nothing"


def _value(number: float) -> Value:
    return Value(plain(number, 4), sort=float(number))
