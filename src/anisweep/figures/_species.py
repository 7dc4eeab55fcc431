"""Data sets that differ in nothing but species."""

from __future__ import annotations

import pandas as pd

from anisweep.figures._series import NothingToDraw

#: What such data sets have in common.
SIZE = ["frames", "particles", "pairs"]


def species_family(summary: pd.DataFrame) -> pd.DataFrame:
    """Their lines, for the coefficients: of several such families the largest.

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


def label_of_size(family: pd.DataFrame) -> str:
    """The horizontal axis, with what stays the same along it."""
    one = family.iloc[0]
    return f"number of species (N = {one['particles']} particles, {one['pairs']:,} pairs)"
