"""Show the functions that take the most time, in the report of a study that profiles."""

from __future__ import annotations

from typing import Any

import pandas as pd

from anisweep.formatting import milliseconds, plain, share
from anisweep.report.model import Measured, Table, Value
from anisweep.report.sections._entries import artifact_links, number
from anisweep.tables.names import series_in_order, with_names

PLACE = 170

HEADS = ["system", "mode", "function", "calls", "self / ms", "self", "self and called", "self, imports in"]
NOTE = (
    "Under cProfile, means over replicates: time in the function itself, its share, its share with all that "
    "it calls, and its share of the time with the imports of the mode. Import is what nothing before it in "
    "the interpreter had imported. Every function is in tables/hotspots.csv."
)

#: Functions of each system and mode.
MOST = 10


def section(study: Measured) -> Table:
    """Make a table with the first functions of each system and series; empty where nothing was profiled."""
    heads = [*HEADS, "import / ms", "artifacts"]
    if study.hotspots.empty:
        return Table("Hotspots", heads, [])

    named = with_names(study.hotspots.assign(reference="numpy_only"))
    rows = [
        row
        for system in sorted(named["system"].unique())
        for series in series_in_order(named)
        for row in _rows(named[(named["system"] == system) & (named["series"] == series)])
    ]
    return Table("Hotspots", heads, rows, note=NOTE)


def _rows(lines: pd.DataFrame) -> list[list[Value]]:
    """Return a row for each function; one that a profile does not hold took no time in it."""
    profiles = max(1, lines["profile"].nunique())
    total = lines["profiled_s"]
    with_import = total + lines["import_s"].fillna(0.0)

    shares = lines.assign(
        own=lines["self_s"] / total,
        cumulative=(lines["cumulative_s"] / total).clip(upper=1.0),
        imported=lines["self_s"] / with_import,
    )
    sums = shares.groupby("function")[["calls", "self_s", "own", "cumulative", "imported"]].sum() / profiles
    top = sums.sort_values("own", ascending=False).head(MOST)
    identity = [Value(str(lines[name].iloc[0])) for name in ("system", "series")] if len(lines) else []
    imports = number(lines["import_s"].mean(), milliseconds)
    origin = Value("", links=artifact_links(sorted(lines["artifact"].unique())))

    return [
        [
            *identity,
            Value(str(function)),
            number(line["calls"], _count),
            number(line["self_s"], milliseconds),
            number(line["own"], share),
            number(line["cumulative"], share),
            number(line["imported"], share),
            imports,
            origin,
        ]
        for function, line in top.iterrows()
    ]


def _count(value: Any) -> str:
    """Format a number of calls: whole, but for means over replicates that differ."""
    return f"{value:,.0f}" if float(value).is_integer() else plain(value)
