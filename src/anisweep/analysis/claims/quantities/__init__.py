"""List the quantities that can be measured of a claim: a new file in this folder is a new quantity.

No other file needs to know. A quantity is a class on `Quantity`: its keys in the file of claims, and its
figure. A file may hold several that have much in common. How to add one: docs/how-to/add-a-claim.md.

Files that begin with an underscore hold what several quantities share, and define none.
"""

from __future__ import annotations

from functools import reduce
from importlib import import_module
from operator import or_
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, get_args

from pydantic import Field

from anisweep.analysis.claims.quantities._quantity import Figure, Quantity

__all__ = ["Figure", "Measurement", "Quantity", "by_name"]

FOLDER = Path(__file__).parent


def by_name() -> dict[str, type[Quantity]]:
    """Return every quantity by the name that files of claims call it, in the order of the files."""
    modules = [import_module(f"{__name__}.{path.stem}") for path in sorted(FOLDER.glob("[!_]*.py"))]
    return {
        name: each
        for module in modules
        for each in vars(module).values()
        if isinstance(each, type) and issubclass(each, Quantity) and each is not Quantity
        for name in get_args(each.model_fields["quantity"].annotation)
    }


if TYPE_CHECKING:
    Measurement = Quantity
else:
    Measurement = Annotated[reduce(or_, dict.fromkeys(by_name().values())), Field(discriminator="quantity")]
