"""Measure how far modes differ in a number that should not depend on them."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import pandas as pd
from pydantic import Field

from anisweep.analysis.claims.evidence import PROBLEM_BY_CONTENT, artifacts_of, measured, sites_of
from anisweep.analysis.claims.quantities._quantity import Figure, Quantity


class Spread(Quantity):
    """The largest difference of `column` between two modes on the same problem in one replicate."""

    quantity: Literal["spread"]
    column: Annotated[str, Field(description="of the cells table")]

    def figure(self, cells: pd.DataFrame, conditions: dict[str, Any]) -> Figure | None:
        """Return the largest difference.

        An extreme has no interval: it is what these data hold.
        """
        rows = measured(cells, conditions, "ok", "wrong")
        values = rows.reindex(columns=[self.column]).astype(float)[self.column]
        known = rows.assign(value=values).dropna(subset=["value"])

        groups = [
            group
            for _, group in known.groupby([*PROBLEM_BY_CONTENT, "replicate"])
            if group["mode"].nunique() > 1
        ]
        if not groups:
            return None

        widest = max(groups, key=lambda group: group["value"].max() - group["value"].min())
        width = float(widest["value"].max() - widest["value"].min())
        return Figure(width, width, width, len(known), "rows", sites_of(widest), artifacts_of(widest))
