"""Make the reference page of all columns, from the fields of `Row` and `SummaryLine`."""

from __future__ import annotations

from dataclasses import Field, fields
from typing import Any, get_type_hints

from anisweep.row import Row
from anisweep.tables.cells import column_of, dtype_of
from anisweep.tables.hotspots import Hotspot
from anisweep.tables.old_rows import OldRow
from anisweep.tables.summary import SummaryLine

HEAD = """# Metrics

Every column of the tables, with its unit and meaning. This page is generated from the typed classes `Row`,
`SummaryLine`, `Hotspot` and `OldRow`; change those, not this page.
"""

CELLS = """## cells.parquet and cells.csv

One line a cell (or reference) in one process of one pack. An empty entry was not measured. Lists and
dictionaries are JSON in the CSV file.
"""

SUMMARY = """## summary.parquet and summary.csv

One line a point of the study, over its replicates; sites are never averaged. The median of each stage follows
as `stage_<name>_s`.
"""

HOTSPOTS = """## hotspots.parquet and hotspots.csv

One line a function in one cProfile, in studies with `measure: {profile: true}`; the profiles lie in
`results/<study>/profiles/`, with the sampled stacks as `.folded`.
"""

OLD_ROWS = """## old_rows.parquet and old_rows.csv

In `results/tables`: one line a line of an old bundle's tables. None of them is a measured cell.
"""

SOURCES = [
    ("artifact", "text", "", "the artifact, relative to `results/`"),
    ("artifact_sha256", "text", "", "SHA-256 of the artifact's bytes"),
]

TYPES = {"str": "text", "Int64": "integer", "float64": "number", "boolean": "true or false", "object": "list"}


def metrics_markdown() -> str:
    """Return the text of ``docs/reference/metrics.md``."""
    cells = [*_lines(Row), *SOURCES]
    parts = [HEAD, CELLS, _table(cells), SUMMARY, _table(_lines(SummaryLine))]
    parts += [HOTSPOTS, _table(_lines(Hotspot)), OLD_ROWS, _table(_lines(OldRow))]
    return "\n".join(parts).rstrip() + "\n"


def columns_markdown(registry: type[Any]) -> str:
    """Return the columns of a registry as a table in Markdown."""
    return _table(_lines(registry))


def _lines(registry: type[Any]) -> list[tuple[str, str, str, str]]:
    hints = get_type_hints(registry)
    return [_line(metric, hints[metric.name]) for metric in fields(registry)]


def _line(metric: Field[Any], hint: Any) -> tuple[str, str, str, str]:
    unit, meaning = metric.metadata["unit"], metric.metadata["meaning"]

    if metric.default_factory is dict:
        return column_of(metric, "<name>"), "one column an entry", unit, meaning
    return metric.name, TYPES[dtype_of(hint)], unit, meaning


def _table(lines: list[tuple[str, str, str, str]]) -> str:
    body = [f"| `{name}` | {kind} | {unit} | {_escaped(meaning)} |" for name, kind, unit, meaning in lines]
    return "\n".join(["| column | type | unit | meaning |", "|---|---|---|---|", *body, ""])


def _escaped(meaning: str) -> str:
    return meaning.replace("|", "\\|")
