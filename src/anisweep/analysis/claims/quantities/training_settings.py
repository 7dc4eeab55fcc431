"""Measure for how many sets of training data there is a recommendation."""

from __future__ import annotations

from typing import Any, Literal

import pandas as pd

from anisweep.analysis.claims.evidence import artifacts_of, matching, sites_of
from anisweep.analysis.claims.quantities._quantity import Figure, Quantity
from anisweep.analysis.training_settings import TASK, training_settings


class TrainingRecommended(Quantity):
    """The share of the problems of the task `training` for which the report says what to take."""

    quantity: Literal["training_recommended"]

    def figure(self, cells: pd.DataFrame, conditions: dict[str, Any]) -> Figure | None:
        """Return the share, which is exact."""
        rows = matching(cells[cells["output"] == TASK], {"role": "cell"} | conditions)
        if rows.empty:
            return None

        settings = training_settings(rows)
        systems = {each.system for each in settings}
        taken = {each.system for each in settings if each.take}
        share = len(taken) / len(systems) if systems else 0.0
        return Figure(share, share, share, len(systems), "rows", sites_of(rows), artifacts_of(rows))
