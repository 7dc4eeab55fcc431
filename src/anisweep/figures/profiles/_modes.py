"""Lay out one panel for each mode, for the figures of profiles."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pandas as pd

from anisweep.tables.names import threads_in_words

INK = "#1f2328"

#: On boxes of their own, which stay light where the page is dark.
BLACK = "#000000"


def panels(lines: pd.DataFrame) -> Iterator[tuple[str, pd.DataFrame]]:
    """Yield name and lines of each mode (and precision, device, threads where they differ)."""
    columns = ["mode", *(c for c in ("precision", "device", "threads") if lines[c].nunique() > 1)]
    published_first = lines.assign(other=lines["mode"] != "numpy_only")

    for keys, group in published_first.groupby(["other", *columns], sort=True):
        named: dict[str, Any] = dict(zip(["other", *columns], keys, strict=True))
        if "threads" in named:
            named["threads"] = threads_in_words(named["threads"])
        yield " ".join(str(named[column]) for column in columns), group


def first_profile(lines: pd.DataFrame) -> str:
    """Return the file of the first replicate."""
    return str(lines.sort_values(["replicate", "process"])["profile"].iloc[0])
