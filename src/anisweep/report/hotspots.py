"""The functions that take the most time, in the report of a study that profiles."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd

from anisweep import tables
from anisweep.report.content import Table, Value
from anisweep.report.details import artifact_links
from anisweep.report.numbers import milliseconds, plain, share
from anisweep.tables.names import series_in_order, with_names

HEADS = ["system", "mode", "function", "calls", "self / ms", "self", "self and called", "self, imports in"]
NOTE = (
    "Under cProfile, means over replicates: time in the function itself, its share, its share with all that "
    "it calls, and its share of the time with the imports of the mode. Import is what nothing before it in "
    "the interpreter had imported. Every function is in tables/hotspots.csv."
)

#: Functions of each system and mode.
MOST = 10


def hotspots_tables(folder: Path) -> list[Table]:
    """One table, or none where nothing was profiled."""
    if not (folder / "hotspots.parquet").exists():
        return []

    named = with_names(tables.read(folder, "hotspots").assign(anchor="numpy_only"))
    rows = [
        row
        for system in sorted(named["system"].unique())
        for series in series_in_order(named)
        for row in _rows(named[(named["system"] == system) & (named["series"] == series)])
    ]
    return [Table("Hotspots", [*HEADS, "import / ms", "artifacts"], rows, note=NOTE)] if rows else []


def _rows(lines: pd.DataFrame) -> list[list[Value]]:
    """A function that a profile does not hold took no time in it."""
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
    imports = _value(lines["import_s"].mean(), milliseconds)
    origin = Value("", links=artifact_links(sorted(set(lines["artifact"]))))

    return [
        [
            *identity,
            Value(str(function)),
            _value(line["calls"], _count),
            _value(line["self_s"], milliseconds),
            _value(line["own"], share),
            _value(line["cumulative"], share),
            _value(line["imported"], share),
            imports,
            origin,
        ]
        for function, line in top.iterrows()
    ]


def _count(value: Any) -> str:
    """Calls are whole, but for means over replicates that differ."""
    return f"{value:,.0f}" if float(value).is_integer() else plain(value)


def _value(number: Any, text: Any) -> Value:
    return Value(text(number), sort=None if pd.isna(number) else float(number))
