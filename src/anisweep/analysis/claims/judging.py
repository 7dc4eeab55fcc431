"""Judge each claim by the tables: our figure, its interval, and the verdict."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd

from anisweep.analysis.claims.claim import Bound, Claim, ClaimFile
from anisweep.analysis.claims.evidence import ANY, matching
from anisweep.analysis.claims.ledger import Line, Verdict
from anisweep.analysis.claims.quantities import Figure, Quantity
from anisweep.errors import UserError


@dataclass(frozen=True)
class ClaimEvidence:
    """Hold what claims are judged by.

    Attributes
    ----------
    cells : what `anisweep.tables.all_cells` gives; empty when no study has tables
    bundles : what `anisweep.tables.read_bundles` gives; empty when there were none
    """

    cells: pd.DataFrame
    bundles: pd.DataFrame

    @cached_property
    def not_ok(self) -> pd.DataFrame:
        """Return the rows that say why they are no measurement."""
        return self.cells[self.cells["status"] != "ok"] if len(self.cells) else self.cells


def ledger(
    sources: Mapping[str, ClaimFile], cells: pd.DataFrame, bundles: pd.DataFrame | None = None
) -> list[Line]:
    """Return a line for each claim, in the order of the files.

    Parameters
    ----------
    sources : what `load_claims` gives
    cells, bundles : see `ClaimEvidence`
    """
    by = ClaimEvidence(cells, pd.DataFrame({"kind": []}) if bundles is None else bundles)
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


def _line(line: Line, claim: Claim, conditions: dict[str, Any], by: ClaimEvidence) -> Line:
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
        line.verdict, line.reason = _without_figure(claim, conditions, by.not_ok)
        return line

    line.value, line.low, line.high = figure.value, _finite(figure.low), _finite(figure.high)
    line.count, line.count_of, line.site = figure.count, figure.of, figure.site
    line.artifacts = " ".join(figure.artifacts)
    assert bound  # a claim with a measurement has a range
    line.verdict, line.reason = verdict(figure, bound)
    return line


def _figure(line: Line, measure: Quantity, conditions: dict[str, Any], by: ClaimEvidence) -> Figure | None:
    table = by.bundles if measure.rests_on == "bundles" else by.cells
    try:
        return None if table.empty else measure.figure(table, conditions)
    except UserError as error:
        raise UserError(f"config/claims/{line.source}.yaml, {line.row}, {line.says!r}: {error}") from None


def verdict(figure: Figure, bound: Bound) -> tuple[Verdict, str]:
    """Judge a figure: confirmed inside the claimed range, refuted wholly outside, inconclusive between."""
    if not np.isfinite([figure.low, figure.high]).all():
        return "inconclusive", f"{figure.count} {figure.of} give no interval: measure more replicates"

    if bound.low <= figure.low and figure.high <= bound.high:
        return "confirmed", ""
    if figure.high < bound.low or figure.low > bound.high:
        return "refuted", ""
    return "inconclusive", "the interval holds a bound of the claimed range"


def _without_figure(claim: Claim, conditions: dict[str, Any], not_ok: pd.DataFrame) -> tuple[Verdict, str]:
    """Return the verdict on a claim without a figure, with what its rows say of themselves."""
    if claim.measure and claim.measure.rests_on == "bundles":
        return (
            "open",
            "no such bundle has been taken in or written: `anisweep bundle` and `anisweep unbundle`",
        )

    sides = [getattr(claim.measure, side) for side in ("of", "to") if hasattr(claim.measure, side)]
    bad = [matching(not_ok, conditions | side) for side in sides or [{}]] if len(not_ok) else []
    reasons = [each for rows in bad for each in zip(rows["status"], rows["reason"], strict=True)]
    unavailable = [reason for status, reason in reasons if status == "unavailable"]

    if unavailable:
        return "not measurable", unavailable[0]
    if reasons:
        return "open", f"{reasons[0][0]}: {reasons[0][1]}"
    if claim.needs:
        return "not measurable", f"it needs {claim.needs}"
    return "open", "no table holds such a measurement"


def _finite(number: float) -> float | None:
    return float(number) if np.isfinite(number) else None


def _word(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)
