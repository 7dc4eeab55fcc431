"""The cells of several studies as one table."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pandas as pd

#: What makes one measurement.
ONE = ["pack", "process", "order", "role", "key", "output", "dataset", "frames", "hypers"]


def all_cells(folders: Sequence[Path]) -> pd.DataFrame:
    """The cells of all studies; of a point that was measured again the latest measurement alone.

    Parameters
    ----------
    folders : each holds the ``cells.parquet`` of one study
    """
    read = [pd.read_parquet(folder / "cells.parquet") for folder in folders]
    if not read:
        return pd.DataFrame()

    together = pd.concat(read, ignore_index=True).drop_duplicates(ONE)
    cells = _latest(together[together["role"] == "cell"])
    anchors = together[(together["role"] != "cell") & together["pack"].isin(cells["pack"])]
    return pd.concat([cells, anchors], ignore_index=True)


def _latest(cells: pd.DataFrame) -> pd.DataFrame:
    """Code, environment or settings may have changed in between; old and new are never averaged."""
    last = cells.sort_values("started", kind="stable").drop_duplicates(["site", "point"], keep="last")
    return cells[cells["key"].isin(last["key"])]
