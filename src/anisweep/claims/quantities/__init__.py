"""What can be measured of a claim. Each class is one quantity: its keys in the file, and its figure.

A quantity takes the cells of all studies and the claim's conditions (or what was checked of bundles), and
gives a figure with its 95 % interval, or ``None`` where the tables hold nothing of the kind.
"""

from __future__ import annotations

from typing import Annotated, get_args

from pydantic import Field

from anisweep.claims.quantities.bundles import Bundles
from anisweep.claims.quantities.figure import Figure
from anisweep.claims.quantities.rows import Calls, Decided, Extreme, RowsThat
from anisweep.claims.quantities.spread import Spread
from anisweep.claims.quantities.times import ImportTime, Share, SpeciesExponent, TimeRatio
from anisweep.config import Section

__all__ = ["Bundles", "Figure", "Measurement", "by_name"]

Measurement = Annotated[
    TimeRatio
    | Share
    | ImportTime
    | Extreme
    | RowsThat
    | Calls
    | SpeciesExponent
    | Spread
    | Decided
    | Bundles,
    Field(discriminator="quantity"),
]


def by_name() -> dict[str, type[Section]]:
    """Every quantity by the name that files of claims call it."""
    classes: tuple[type[Section], ...] = get_args(get_args(Measurement)[0])
    return {name: each for each in classes for name in get_args(each.model_fields["quantity"].annotation)}
