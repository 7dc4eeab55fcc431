"""The ledger: every claim with our figure and the verdict. No verdict is typed by hand."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any, Literal, get_type_hints

import numpy as np
import pandas as pd

from anisweep.claims.claim import Bound, Claim, Source
from anisweep.claims.evidence import ANY, matching
from anisweep.claims.quantities import Bundles, Figure, Measurement
from anisweep.config import ConfigError
from anisweep.row import metric
from anisweep.store import write_text
from anisweep.tables.cells import dtype_of

Verdict = Literal["confirmed", "refuted", "inconclusive", "open", "not measurable"]


@dataclass
class Line:
    """One claim in the ledger."""

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


@dataclass(frozen=True)
class Tables:
    """What claims are judged by.

    Attributes
    ----------
    cells : what `anisweep.tables.all_cells` gives; empty when no study has tables
    bundles : what `anisweep.tables.read_bundles` gives; empty when there were none
    """

    cells: pd.DataFrame
    bundles: pd.DataFrame


def ledger(
    sources: Mapping[str, Source], cells: pd.DataFrame, bundles: pd.DataFrame | None = None
) -> list[Line]:
    """A line for each claim, in the order of the files.

    Parameters
    ----------
    sources : what `load_claims` gives
    cells, bundles : see `Tables`
    """
    by = Tables(cells, pd.DataFrame({"kind": []}) if bundles is None else bundles)
    return [
        _line(
            Line(source, name, row, claimed.row),
            claim,
            table.conditions | claimed.conditions | claim.conditions,
            by,
        )
        for source, content in sources.items()
        for name, table in content.tables.items()
        for row, claimed in table.rows.items()
        for claim in claimed.claims
    ]


def _line(line: Line, claim: Claim, conditions: dict[str, Any], by: Tables) -> Line:
    line.says = claim.says
    bound = claim.bound

    if bound:
        line.claimed_low, line.claimed_high = _finite(bound.low), _finite(bound.high)

    if claim.measure is None:
        line.verdict = "not measurable" if claim.not_measurable else "open"
        line.reason = claim.not_measurable or claim.open
        return line

    line.conditions = ", ".join(
        f"{column} = {_word(value)}" for column, value in conditions.items() if value != ANY
    )
    figure = _figure(line, claim.measure, conditions, by)

    if figure is None:
        line.verdict, line.reason = _without_figure(claim, conditions, by.cells)
        return line

    line.value, line.low, line.high = figure.value, _finite(figure.low), _finite(figure.high)
    line.count, line.count_of, line.site = figure.count, figure.of, figure.site
    line.artifacts = " ".join(figure.artifacts)
    assert bound  # a claim with a measurement has a range
    line.verdict, line.reason = verdict(figure, bound)
    return line


def _figure(line: Line, measure: Measurement, conditions: dict[str, Any], by: Tables) -> Figure | None:
    if isinstance(measure, Bundles):
        return None if by.bundles.empty else measure.figure_of(by.bundles)

    try:
        return None if by.cells.empty else measure.figure(by.cells, conditions)
    except ConfigError as error:
        raise ConfigError(f"config/claims/{line.source}.yaml, {line.row}, {line.says!r}: {error}") from None


def verdict(figure: Figure, bound: Bound) -> tuple[Verdict, str]:
    """Confirmed inside the claimed range, refuted wholly outside, inconclusive between."""
    if not np.isfinite([figure.low, figure.high]).all():
        return "inconclusive", f"{figure.count} {figure.of} give no interval: measure more replicates"

    if bound.low <= figure.low and figure.high <= bound.high:
        return "confirmed", ""
    if figure.high < bound.low or figure.low > bound.high:
        return "refuted", ""
    return "inconclusive", "the interval holds a bound of the claimed range"


def _without_figure(claim: Claim, conditions: dict[str, Any], cells: pd.DataFrame) -> tuple[Verdict, str]:
    """What the rows that were to be measured say of themselves."""
    if isinstance(claim.measure, Bundles):
        return "open", "no such bundle has been taken in or written: `anisweep bundle` and `anisweep ingest`"

    sides = [getattr(claim.measure, side) for side in ("of", "to") if hasattr(claim.measure, side)]
    bad = [matching(cells, conditions | side) for side in sides or [{}]] if len(cells) else []
    reasons = [
        (row["status"], row["reason"]) for rows in bad for _, row in rows[rows["status"] != "ok"].iterrows()
    ]
    unavailable = [reason for status, reason in reasons if status == "unavailable"]

    if unavailable:
        return "not measurable", unavailable[0]
    if reasons:
        return "open", f"{reasons[0][0]}: {reasons[0][1]}"
    if claim.needs:
        return "not measurable", f"it needs {claim.needs}"
    return "open", "no table holds such a measurement"


def write(lines: list[Line], file: Path) -> None:
    """``claims.csv``."""
    table = pd.DataFrame([asdict(line) for line in lines], columns=[f.name for f in fields(Line)])
    write_text(file, table.astype(_types()).to_csv(index=False))


def read(file: Path) -> list[Line]:
    """``claims.csv`` back."""
    table = pd.read_csv(file, dtype=_types())
    return [_from_csv(row) for _, row in table.iterrows()]


def _from_csv(row: pd.Series[Any]) -> Line:
    """What is empty has the value of a new line."""
    return Line(**{str(name): value for name, value in row.items() if pd.notna(value)})


def _types() -> dict[str, str]:
    return {name: dtype_of(hint) for name, hint in get_type_hints(Line).items()}


def _finite(number: float) -> float | None:
    return float(number) if np.isfinite(number) else None


def _word(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)
