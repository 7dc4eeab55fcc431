"""What came out of bundles."""

from __future__ import annotations

from typing import Annotated, Literal

import pandas as pd
from pydantic import Field

from anisweep.claims.quantities.figure import Figure
from anisweep.config import Section


class Bundles(Section):
    """The share of what bundles held that is there again (`results/tables/bundles.csv`)."""

    quantity: Literal["bundles"]
    kind: Annotated[
        Literal["ours", "old"],
        Field(description="tables of our own bundles, or rows of old ones that say what is unproven"),
    ]

    def figure_of(self, bundles: pd.DataFrame) -> Figure | None:
        """Exact: these are all that were checked."""
        lines = bundles[bundles["kind"] == self.kind]
        checked = int(lines["checked"].sum())
        if not checked:
            return None

        share = float(lines["passed"].sum()) / checked
        return Figure(share, share, share, checked, "tables" if self.kind == "ours" else "rows", "", ())
