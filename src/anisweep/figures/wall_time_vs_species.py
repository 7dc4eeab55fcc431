"""Draw how wall time changes with the number of species at constant N."""

from __future__ import annotations

import pandas as pd
from matplotlib.figure import Figure

from anisweep.figures._series import name_ticks
from anisweep.figures._species import draw_against_species, species_family

TITLE = "Wall time against species"
CAPTION = (
    "Wall time of the coefficients for the same particles and pairs labelled with more and more species; "
    "bars are 95 % intervals, and the axis is logarithmic."
)


def draw(cells: pd.DataFrame, summary: pd.DataFrame) -> Figure:
    """Draw wall time against the number of species."""
    figure, axes = draw_against_species(species_family(summary))
    axes.set_yscale("log")
    name_ticks(axes.yaxis)
    axes.set_ylabel("wall time of one computation / ms")
    return figure
