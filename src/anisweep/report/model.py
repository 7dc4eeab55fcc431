"""Define what a section of the report holds, before it becomes HTML."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import pandas as pd

from anisweep.formatting import NOTHING, between, counted, milliseconds, plain, span, speed
from anisweep.report.answer import site_of_first_screen
from anisweep.report.inline_svg import Picture
from anisweep.tables import Platform
from anisweep.tables.names import series_in_order, with_names

HEADLINE_ROWS = 8

#: The reference and the fastest others: more do not fit beside the figure.
HEADLINE_COLUMNS = 5

#: So many names are read; more are counted.
NAMED = 3

#: A longer text is broken into lines.
LONG = 60


@dataclass(frozen=True)
class Link:
    """Lead from a text to another place; the title appears when the mouse rests on it."""

    text: str
    href: str
    title: str = ""


@dataclass(frozen=True)
class Value:
    """Hold one entry of a table.

    Attributes
    ----------
    sort : what the column is sorted by; the text when ``None``
    note : a second, smaller line
    range : the interval, in a third
    title : what appears when the mouse rests on it
    links : shown behind the text
    """

    text: str
    sort: float | None = None
    href: str = ""
    title: str = ""
    note: str = ""
    range: str = ""
    strong: bool = False
    links: tuple[Link, ...] = ()

    @property
    def classes(self) -> str:
        """Return the classes by which the style sheet knows it."""
        named = {
            "number": self.sort is not None or self.text == NOTHING,
            "strong": self.strong,
            "long": len(self.text) > LONG,
        }
        return " ".join(name for name, holds in named.items() if holds)


@dataclass(frozen=True)
class Table:
    """Hold a table with its rows' ids, to which other numbers link."""

    title: str
    heads: list[str]
    rows: list[list[Value]]
    ids: list[str] = field(default_factory=list)
    note: str = ""

    @property
    def links(self) -> set[str]:
        """Return what its entries lead to."""
        values = [value for row in self.rows for value in row]
        behind = [link for value in values for link in value.links]
        return {*(value.href for value in values), *(link.href for link in behind)}


@dataclass(frozen=True)
class Measured:
    """Hold the tables of one study as they lie on the disk; ``hotspots`` is empty where none was profiled."""

    name: str
    question: str
    cells: pd.DataFrame
    summary: pd.DataFrame
    job_records: pd.DataFrame
    hotspots: pd.DataFrame
    platforms: dict[str, Platform]
    missing: list[str]

    @cached_property
    def named_cells(self) -> pd.DataFrame:
        """Return the cells with the names of their systems and series."""
        return with_names(self.cells)


@dataclass(frozen=True)
class StudyPart:
    """Hold one study of the report: the first screen, and what is folded below it."""

    name: str
    question: str
    answer: str
    disturbance: str
    headline: Table
    lead: Picture | None
    figures: list[Picture]
    not_drawn: list[Picture]
    sections: list[Table]
    missing: list[str]


def headline(study: Measured) -> Table:
    """Make the first table: time, spread and verdict of the first eight systems of one site.

    Systems go down, modes across.
    """
    sites = list(study.summary["site"].unique())
    site = site_of_first_screen(sites)
    here = with_names(study.summary[study.summary["site"] == site])

    columns, slower, without = _columns(here)
    systems = list(dict.fromkeys(here["system"]))
    rows = [_headline_row(study.name, here, system, columns) for system in systems[:HEADLINE_ROWS]]

    note = (
        "Wall time of one computation, mean over replicates; below it the verdict and the 95 % interval in "
        "ms. Verdicts rest on ratios within packs, not on the ratio of these means. Bold is faster "
        "beyond the noise. Each time links to its artifacts."
    )
    if slower:
        note += f" The reference and the fastest are shown; {slower} more are in the full table below."
    if len(systems) > HEADLINE_ROWS:
        note += f" {len(systems) - HEADLINE_ROWS} more systems are in the full table below."
    if without:
        note += f" Without a time: {_named(without)}; “Not ok” below says why."
    if len(sites) > 1:
        note += f" Measured at {site}; other sites are in the full table below."

    return Table("Wall time", ["system", "pairs", *columns], rows, note=note)


def _columns(here: pd.DataFrame) -> tuple[list[str], int, list[str]]:
    """Return the series of the first table, how many more have times, and those that have none."""
    timed = here[here["wall_mean_s"].notna()] if here["wall_mean_s"].notna().any() else here
    is_other = timed["mode"] != timed["reference"]

    ranks = timed.assign(other=is_other).groupby("series").agg({"other": "min", "ratio": "median"})
    reference = [name for name in series_in_order(timed) if not ranks.loc[name, "other"]][:1]
    fastest = ranks[ranks["other"]].sort_values("ratio").index[: HEADLINE_COLUMNS - len(reference)]
    chosen = {*reference, *fastest}

    columns = [name for name in series_in_order(timed) if name in chosen]
    without = [name for name in series_in_order(here) if name not in ranks.index]
    return columns, len(ranks) - len(columns), without


def _named(names: list[str]) -> str:
    """Name the first few, and say how many more there are."""
    more = len(names) - NAMED
    return ", ".join(names[:NAMED]) + (f" and {more} more" if more > 0 else "")


def _headline_row(study: str, here: pd.DataFrame, system: str, columns: list[str]) -> list[Value]:
    lines = here[here["system"] == system]
    pairs = lines["pairs"].max()

    name, _, rest = system.partition(", ")

    row = [Value(name, note=rest), Value(NOTHING if pd.isna(pairs) else f"{pairs:,}", sort=_number(pairs))]
    for column in columns:
        matching = lines[lines["series"] == column]
        row.append(_time(study, matching) if len(matching) else Value(NOTHING))
    return row


def _time(study: str, matching: pd.DataFrame) -> Value:
    line = matching.iloc[0]
    href = f"#{point_id(study, matching.index[0])}"

    if pd.isna(line["wall_mean_s"]):
        return Value(line["statuses"], href=href, title=provenance(line))

    return Value(
        f"{milliseconds(line['wall_mean_s'])}\u00a0ms",
        sort=_number(line["wall_mean_s"]),
        href=href,
        title=provenance(line),
        note=_verdict(line),
        range=span(1e3 * line["wall_low_s"], 1e3 * line["wall_high_s"]),
        strong=line["verdict"] == "faster",
    )


def _verdict(line: pd.Series[Any]) -> str:
    if line["verdict"] in ("faster", "slower"):
        return speed(line["ratio"])
    return str(line["verdict"])


def provenance(line: pd.Series[Any]) -> str:
    """Say what a number rests on, for the tooltip."""
    interval = between(1e3 * line["wall_low_s"], 1e3 * line["wall_high_s"])
    seen = line["ratio_detectable"]
    smallest = "" if pd.isna(seen) else f"; the smallest difference to be seen was {plain(seen)}×"
    return (
        f"mean {milliseconds(line['wall_mean_s'])} ms of {counted(line['replicates'], 'replicate')}, "
        f"95 % interval "
        f"{interval} ms; host {line['hosts']}; code {short(line['code'])}; "
        f"environment {short(line['environment'])}{smallest}"
    )


def point_id(study: str, index: Any) -> str:
    """Return the id of a line of the summary in the page."""
    return f"{study}-point-{index}"


def artifact_id(artifact: str) -> str:
    """Return the id of an artifact's line in the page."""
    return "artifact-" + Path(artifact).name.removesuffix(".tar.gz")


def short(digests: str) -> str:
    """Return the first twelve digits of each digest."""
    return " ".join(digest[:12] for digest in digests.split()) or NOTHING


def _number(value: Any) -> float | None:
    return None if pd.isna(value) else float(value)
