"""Join the cells tables of several studies."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from anisweep.tables.reading import LISTS, read

#: What makes one measurement.
ONE = ["pack", "process", "order", "role", "key", "output", "dataset", "frames", "hypers"]


def all_cells(folders: Sequence[Path]) -> pd.DataFrame:
    """Return the cells of all studies, without lists; of a point that was measured again the latest one.

    Parameters
    ----------
    folders : each holds the ``cells.parquet`` of one study
    """
    every = [read(folder, "cells", without=LISTS) for folder in folders]
    if not every:
        return pd.DataFrame()

    together = pd.concat(every, ignore_index=True)
    once = together.loc[~together.duplicated(ONE), ["role", "pack", "key", "site", "point", "started"]]
    cells = _latest(once[once["role"] == "cell"])
    references = once[(once["role"] != "cell") & once["pack"].isin(cells["pack"])]
    return together.loc[[*cells.index, *references.index]].reset_index(drop=True)


def _latest(cells: pd.DataFrame) -> pd.DataFrame:
    """Return the latest measurement of each point.

    Code, environment or settings may have changed in between; old and new are never averaged.
    """
    last = cells.sort_values("started", kind="stable").drop_duplicates(["site", "point"], keep="last")
    return cells[cells["key"].isin(last["key"])]
