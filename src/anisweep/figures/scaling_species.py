"""Draw how time / N^2 changes with the number of species at constant N."""

from __future__ import annotations

import pandas as pd
from matplotlib.figure import Figure

from anisweep.figures._species import draw_against_species, species_family

TITLE = "Scaling with species"
CAPTION = (
    "Wall time of the coefficients over N², for the same particles and pairs labelled with more and more "
    "species; bars are 95 % intervals, cut where they leave the frame."
)


def draw(cells: pd.DataFrame, summary: pd.DataFrame) -> Figure:
    """Draw time / N^2 against the number of species."""
    family = species_family(summary)
    figure, axes = draw_against_species(family, 1e6 / float(family["particles"].iloc[0]) ** 2)
    axes.set_ylabel("time / N² in µs")
    axes.set_ylim(0, min(axes.get_ylim()[1], _twice_the_largest(family)))
    return figure


def _twice_the_largest(family: pd.DataFrame) -> float:
    """Return twice the largest time / N^2, in µs, as the end of the axis.

    The interval of two or three scattered times would press all marks against the axis.
    """
    return float(2e6 * (family["wall_mean_s"] / family["particles"].astype("float64") ** 2).max())
