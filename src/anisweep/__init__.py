"""AniSweep: AniSOAP descriptors, measured and computed at the scale of a cluster."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandas as pd


def load(study: str) -> pd.DataFrame:
    """All rows of a study, one line a measurement; docs/reference/metrics.md explains the columns.

    The study is sought in ``results/`` of the current folder and of those above it. ``attrs["missing"]``
    of the frame lists the cells that nobody has measured yet.

    Raises
    ------
    FileNotFoundError
        when the study has no tables, naming those that have
    """
    import pandas as pd

    here = Path.cwd()

    for root in (here, *here.parents):
        table = root / "results" / study / "tables" / "cells.parquet"
        if table.exists():
            return pd.read_parquet(table)

    known = sorted(path.parts[-3] for path in here.glob("results/*/tables/cells.parquet"))
    raise FileNotFoundError(
        f"no tables of study {study!r} in {here / 'results'} or above; studies with tables here: "
        f"{', '.join(known) or 'none'}. Go to the project's folder, or make them: make run STUDY={study}"
    )
