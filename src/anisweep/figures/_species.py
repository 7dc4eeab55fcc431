"""Select data sets that differ only in species."""

from __future__ import annotations

from dataclasses import replace

import pandas as pd

from anisweep.figures import NothingToDraw
from anisweep.figures._series import Series

#: The column that `side_by_side` makes.
BESIDE = "beside"

#: What such data sets have in common.
SIZE = ["frames", "particles", "pairs"]


def species_family(summary: pd.DataFrame) -> pd.DataFrame:
    """Return the lines of data sets that differ in species alone, for the coefficients.

    Of several such families it is the largest.

    Raises
    ------
    NothingToDraw
        when there are no two of them
    """
    timed = summary.dropna(subset=["wall_mean_s", *SIZE])
    timed = timed[timed["output"] == "coefficients"]

    families = timed.groupby(SIZE)["species"].nunique()
    families = families[families > 1]

    if families.empty:
        raise NothingToDraw(
            "No two data sets of this study have equal size and different numbers of species."
        )

    largest = families.sort_values(kind="stable").tail(1).reset_index()[SIZE]
    return timed.merge(largest, on=SIZE)


def side_by_side(series: Series) -> Series:
    """Add a column of the number of species, moved a little so that marks do not cover each other."""
    moved = series.lines["species"].astype(float) + 0.4 * series.offset
    return replace(series, lines=series.lines.assign(**{BESIDE: moved}))


def label_of_size(family: pd.DataFrame) -> str:
    """Return the label of the horizontal axis, with what stays the same along it."""
    one = family.iloc[0]
    return f"number of species (N = {one['particles']} particles, {one['pairs']:,} pairs)"
