"""Measure the share of what was in bundles that could be restored from them."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import pandas as pd
from pydantic import Field

from anisweep.analysis.claims.quantities._quantity import Figure, Quantity


class Bundles(Quantity):
    """The share of what bundles held that is there again (`results/tables/bundles.csv`)."""

    rests_on = "bundles"

    quantity: Literal["bundles"]
    kind: Annotated[
        Literal["ours", "old"],
        Field(description="tables of our own bundles, or rows of old ones that say what is unproven"),
    ]

    def figure(self, bundles: pd.DataFrame, conditions: dict[str, Any]) -> Figure | None:
        """Return the exact share: these are all that were checked."""
        lines = bundles[bundles["kind"] == self.kind]
        checked = int(lines["checked"].sum())
        if not checked:
            return None

        share = float(lines["passed"].sum()) / checked
        return Figure(share, share, share, checked, "tables" if self.kind == "ours" else "rows", "", ())
