"""Measure and compute AniSOAP descriptors at the scale of a cluster."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandas as pd


def load(study: str) -> pd.DataFrame:
    """Return all rows of a study, one line a measurement.

    The columns are explained in docs/reference/metrics.md.

    The study is sought in ``results/`` of the current folder and of those above it. ``attrs["missing"]``
    of the frame lists the cells that nobody has measured yet.

    Raises
    ------
    FileNotFoundError
        when the study has no tables, naming those that have
    """
    from pathlib import Path

    from anisweep.config.project import Project
    from anisweep.tables.reading import read

    here = Path.cwd()

    for root in (here, *here.parents):
        tables = Project(root).tables(study)
        if (tables / "cells.parquet").exists():
            return read(tables, "cells")

    known = Project(here).studies_with("cells.parquet")
    raise FileNotFoundError(
        f"no tables of study {study!r} in {here / 'results'} or above; studies with tables here: "
        f"{', '.join(known) or 'none'}. Go to the project's folder, or make them: make run STUDY={study}"
    )
