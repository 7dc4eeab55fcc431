"""Define the ledger of claims, whose lines hold a claim, our figure and the verdict, and its file."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

import pandas as pd

from anisweep.files import write_text
from anisweep.row import metric
from anisweep.tables.cells import dtypes_of

Verdict = Literal["confirmed", "refuted", "inconclusive", "open", "not measurable"]


@dataclass
class Line:
    """Hold one claim of the ledger."""

    source: str = metric("file of config/claims", default="")
    table: str = metric("table of the source", default="")
    row: str = metric("row of that table", default="")
    row_says: str = metric("the row as it stands there", default="")
    says: str = metric("what is claimed", default="")
    conditions: str = metric("under which conditions, as column = value", default="")
    claimed_low: float | None = metric("lower end of the claimed range; empty: none")
    claimed_high: float | None = metric("upper end of the claimed range; empty: none")
    value: float | None = metric("our figure")
    low: float | None = metric("lower end of its 95 % interval; of counts and extremes, the smallest seen")
    high: float | None = metric("upper end of it; of counts and extremes, the largest seen")
    count: int = metric("packs or rows that it rests on", default=0)
    count_of: str = metric("packs or rows", default="")
    site: str = metric("where it was measured", default="")
    verdict: Verdict = metric("confirmed, refuted, inconclusive, open or not measurable", default="open")
    reason: str = metric("why there is no better verdict", default="")
    artifacts: str = metric("artifacts that the figure rests on", default="")


def write(lines: list[Line], file: Path) -> None:
    """Write the ledger to ``claims.csv``."""
    types = dtypes_of(Line)
    table = pd.DataFrame([asdict(line) for line in lines], columns=list(types))
    write_text(file, table.astype(types).to_csv(index=False))


def read(file: Path) -> list[Line]:
    """Read the ledger from ``claims.csv``."""
    table = pd.read_csv(file, dtype=dtypes_of(Line))
    return [_from_csv(row) for _, row in table.iterrows()]


def _from_csv(row: pd.Series[Any]) -> Line:
    """Return a line of the ledger, in which empty entries have the value of a new line."""
    return Line(**{str(name): value for name, value in row.items() if pd.notna(value)})
