"""Show what models learn from descriptors, as a folded table of the report."""

from __future__ import annotations

import pandas as pd

from anisweep.formatting import plain
from anisweep.report.model import Measured, Table, Value
from anisweep.report.sections._entries import artifact_links
from anisweep.tables.names import with_names

PLACE = 70

HEADS = ["system", "mode", "R²", "bound", "error", "R², shuffled", "says", "artifacts"]

#: Of the variance of held-out energies: with less, a model has not learned what its mode could have spoiled.
#: Most of the energies of the clusters is learned with wrong orientations too, hence more is asked of them.
LEARNED = {"gay_berne": 0.8, "benzene_clusters": 0.9}
ELSE_LEARNED = 0.8

#: From shuffled energies there is nothing to learn: with more, something of the answers is in the question.
SHUFFLED = 0.1

NOTE = (
    "Ridge regression of the interaction energies per molecule that the data carry, of gay berne in units "
    "of epsilon, of benzene clusters in eV: nine tenths of the frames teach, the penalty is chosen by "
    "five-fold cross-validation, the rest is predicted. With an R² below the bound of its data set, or above "
    f"{SHUFFLED} from shuffled energies, the check says nothing about the mode."
)


def section(study: Measured) -> Table:
    """Make a table with a line for each system and mode, where a study measures it."""
    cells = study.cells
    if "downstream_r2" not in cells:
        return Table("What a model learns", HEADS, [])

    named = with_names(cells.dropna(subset=["downstream_r2"]))
    rows = [
        [
            Value(str(system)),
            Value(str(series)),
            _value(lines["downstream_r2"].mean()),
            Value(f"{_bound(lines):g}", sort=_bound(lines)),
            _value(lines["downstream_rmse"].mean()),
            _value(lines["downstream_r2_shuffled"].mean()),
            Value(_says(lines)),
            Value("", links=artifact_links(sorted(lines["artifact"].unique()))),
        ]
        for (system, series), lines in named.groupby(["system", "series"], sort=False)
    ]
    return Table("What a model learns", HEADS, rows, note=NOTE)


def _says(lines: pd.DataFrame) -> str:
    learned = lines["downstream_r2"].min() >= _bound(lines)
    honest = lines["downstream_r2_shuffled"].max() <= SHUFFLED
    return "it learns" if learned and honest else "nothing"


def _bound(lines: pd.DataFrame) -> float:
    return LEARNED.get(str(lines["dataset"].iloc[0]), ELSE_LEARNED)


def _value(number: float) -> Value:
    return Value(plain(number, 4), sort=float(number))
