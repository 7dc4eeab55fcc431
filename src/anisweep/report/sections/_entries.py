"""Make the entries of tables that several sections have."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pandas as pd

from anisweep.report.model import Link, Value, artifact_id

#: A page with more lines than this is slow to open; the CSV file has them all.
MOST_ROWS = 500

#: A number that rests on more artifacts leads to so many of them.
MOST_LINKS = 20


def number(value: Any, text: Callable[[Any], str], href: str = "") -> Value:
    """Return an entry for a number, which is sorted by its value."""
    return Value(text(value), sort=None if pd.isna(value) else float(value), href=href)


def identity(line: pd.Series[Any]) -> list[Value]:
    """Return the entries that say which system and series a line is of."""
    return [Value(line["system"]), Value(line["series"])]


def origin(row: pd.Series[Any]) -> Value:
    """Return the pack of a row, which leads to its artifact."""
    return Value(row["pack"], href="#" + artifact_id(row["artifact"]))


def artifact_links(artifacts: list[str]) -> tuple[Link, ...]:
    """Return a number for each of the first artifacts, which leads to its line, and the count of others."""
    names = [artifact_id(artifact).removeprefix("artifact-") for artifact in artifacts[:MOST_LINKS]]
    links = [Link(str(k), f"#artifact-{name}", name) for k, name in enumerate(names, 1)]
    if len(artifacts) > MOST_LINKS:
        links.append(Link(f"and {len(artifacts) - MOST_LINKS:,} more", "#provenance"))
    return tuple(links)


def cut(count: int) -> str:
    """Say how many rows of a table are shown, where these are not all."""
    held = "all are in results, in the study's tables"
    return f"The first {MOST_ROWS} of {count:,}; {held}." if count > MOST_ROWS else ""
