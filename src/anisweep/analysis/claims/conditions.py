"""Check the conditions of a claim: columns of the cells table, with the values that they must have."""

from __future__ import annotations

from dataclasses import fields
from typing import Annotated, Any

from pydantic import AfterValidator

from anisweep.cell import Hypers
from anisweep.config.validation_messages import not_among
from anisweep.row import Row

COLUMNS = [f.name for f in fields(Row)] + [f"hyper_{f.name}" for f in fields(Hypers)]


def _known_columns(conditions: dict[str, Any]) -> dict[str, Any]:
    for column in conditions:
        if column not in COLUMNS:
            raise ValueError(not_among(column, COLUMNS, "column"))
    return conditions


Scalar = str | int | float | bool | None
Conditions = Annotated[dict[str, Scalar | list[Scalar]], AfterValidator(_known_columns)]
