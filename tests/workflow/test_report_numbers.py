"""Random numbers of the report, followed by their links to the artifacts and recomputed from these."""

from __future__ import annotations

import json
import random
import secrets
import statistics
import tarfile
from collections.abc import Callable
from dataclasses import dataclass, field
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from clone import Clone

Rows = list[dict[str, Any]]

#: So many numbers are taken.
NUMBERS = 20


@dataclass
class Cell:
    text: str = ""
    sort: str | None = None
    links: list[str] = field(default_factory=list)


@dataclass
class Line:
    """A line of a table of the page."""

    table: str
    heads: list[str]
    id: str = ""
    cells: list[Cell] = field(default_factory=list)

    def text(self, head: str) -> str:
        return self.cells[self.heads.index(head)].text.strip()

    @property
    def links(self) -> list[str]:
        return [link for cell in self.cells for link in cell.links]


class Page(HTMLParser):
    """The lines of every table."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.lines: list[Line] = []
        self.table, self.heads, self.inside = "", [], ""
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}

        if tag == "div" and given.get("class") == "wide":
            self.table = given["aria-label"]
        if tag == "thead":
            self.heads = []
        if tag == "th":
            self.heads.append("")
        if tag == "tr":
            self.lines.append(Line(self.table, self.heads, given.get("id", "")))
        if tag == "td":
            self.lines[-1].cells.append(Cell(sort=given.get("data-sort")))
        if tag == "a" and self.inside == "td":
            self.lines[-1].cells[-1].links.append(given["href"])
        if tag in ("td", "th", "small", "main", "script"):
            self.inside = tag

    def handle_endtag(self, tag: str) -> None:
        if tag in ("td", "th", "small"):
            self.inside = "td" if tag == "small" else ""

    def handle_data(self, data: str) -> None:
        if self.inside == "th":
            self.heads[-1] += data
        if self.inside == "td":
            self.lines[-1].cells[-1].text += data


@pytest.fixture(scope="module")
def lines(measured: Clone) -> list[Line]:
    page = Page((measured.root / "results" / "report.html").read_text())
    return [line for line in page.lines if line.cells]


# --- from a number to the rows of its artifacts ---------------------------------------------------------


def rows_behind(line: Line, lines: list[Line], results: Path) -> Rows:
    """Follow links inside the page until they lead to files, and read the rows in these."""
    by_id = {each.id: each for each in lines if each.id}
    seen: set[str] = set()
    links = list(line.links)
    files: set[str] = set()

    while links:
        link = links.pop()
        if not link.startswith("#"):
            files.add(link)
        elif link not in seen:
            seen.add(link)
            links += by_id[link[1:]].links

    return [row for file in sorted(files) for row in rows_in(results / file)]


def rows_in(artifact: Path) -> Rows:
    with tarfile.open(artifact) as archive:
        member = archive.extractfile("rows.jsonl")
        assert member is not None
        return [json.loads(text) for text in member.read().decode().splitlines()]


def of_line(line: Line, rows: Rows) -> Rows:
    """Those of the line's system and mode, anchors too."""
    system, mode = line.text("system"), line.text("mode")
    return [row for row in rows if row["dataset"] == system.replace(" ", "_") and row["mode"] == mode]


# --- the same numbers, from the rows of artifacts alone -------------------------------------------------


def per_pack(rows: Rows, role: str = "cell") -> dict[str, float]:
    """Median of the cells' times, or geometric mean of the anchors'."""
    packs: dict[str, list[float]] = {}
    for row in rows:
        if row["role"].endswith(role):
            packs.setdefault(row["pack"], []).append(row["wall_s"])

    mean = statistics.median if role == "cell" else statistics.geometric_mean
    return {pack: mean(walls) for pack, walls in packs.items()}


def ratio(line: Line, rows: Rows) -> float:
    walls = per_pack(of_line(line, rows))
    system = line.text("system").replace(" ", "_")
    anchors = per_pack([row for row in rows if row["dataset"] == system], "anchor")
    return statistics.geometric_mean([walls[pack] / anchors[pack] for pack in walls])


def cells(line: Line, rows: Rows, column: str) -> list[float]:
    return [row[column] for row in of_line(line, rows) if row["role"] == "cell"]


def stage(name: str) -> Callable[[Line, Rows], float]:
    """Median of the stage over the cells / median of the traced time."""

    def share(line: Line, rows: Rows) -> float:
        of_stage = [
            row["stages_s"][name.replace(" ", "_")] for row in of_line(line, rows) if row["role"] == "cell"
        ]
        return statistics.median(of_stage) / median(line, rows, "traced_wall_s")

    return share


def one(column: str) -> Callable[[Line, Rows], float]:
    """Of the one row that a line of "Every measurement" shows."""

    def value(line: Line, rows: Rows) -> float:
        wanted = {
            "role": line.text("role"),
            "replicate": int(line.text("replicate")),
            "process": int(line.text("process")),
        }
        (row,) = (row for row in of_line(line, rows) if all(row[key] == is_ for key, is_ in wanted.items()))
        return float(row[column])

    return value


STAGES = [
    "contraction",
    "descriptors",
    "gaussians",
    "moments",
    "neighbours",
    "orthonormalise",
    "pair loop",
    "setup",
    "sum neighbours",
]


def times(line: Line, rows: Rows) -> list[float]:
    """One a pack."""
    return list(per_pack(of_line(line, rows)).values())


def median(line: Line, rows: Rows, column: str) -> float:
    return statistics.median(cells(line, rows, column))


RECOMPUTED: dict[tuple[str, str], Callable[[Line, Rows], float]] = {
    ("All times and ratios", "replicates"): lambda line, rows: len(times(line, rows)),
    ("All times and ratios", "mean / ms"): lambda line, rows: statistics.mean(times(line, rows)),
    ("All times and ratios", "std / ms"): lambda line, rows: statistics.stdev(times(line, rows)),
    ("All times and ratios", "median / ms"): lambda line, rows: statistics.median(times(line, rows)),
    ("All times and ratios", "time / reference"): ratio,
    ("All times and ratios", "peak memory / MB"): lambda line, rows: max(cells(line, rows, "peak_memory_mb")),
    ("Where the time goes", "traced / ms"): lambda line, rows: median(line, rows, "traced_wall_s"),
    ("Where the time goes", "unaccounted"): lambda line, rows: (
        median(line, rows, "unaccounted_s") / median(line, rows, "traced_wall_s")
    ),
    ("Fidelity", "max |difference| / max |reference|"): lambda line, rows: max(
        cells(line, rows, "max_relative_error")
    ),
    ("Fidelity", "allowed"): lambda line, rows: min(cells(line, rows, "bound")),
    ("Every measurement", "wall / ms"): one("wall_s"),
    ("Every measurement", "std / ms"): one("wall_std_s"),
    ("Every measurement", "CPU / wall"): one("cpu_utilisation"),
    ("Every measurement", "relative error"): one("max_relative_error"),
    **{("Where the time goes", name): stage(name) for name in STAGES},
}


def numbers(lines: list[Line]) -> list[tuple[Line, str, float]]:
    """Every number of the page that is known how to recompute: its line, its column and its value."""
    return [
        (line, head, float(cell.sort))
        for line in lines
        for head, cell in zip(line.heads, line.cells, strict=True)
        if cell.sort is not None and (line.table, head) in RECOMPUTED
    ]


def test_random_numbers_are_those_of_the_artifacts(lines: list[Line], measured: Clone) -> None:
    seed = secrets.randbelow(10**6)
    taken = random.Random(seed).sample(numbers(lines), NUMBERS)

    for line, head, shown in taken:
        rows = rows_behind(line, lines, measured.root / "results")
        found = RECOMPUTED[line.table, head](line, rows)
        assert shown == pytest.approx(found, rel=1e-12), f"seed {seed}: {line.table}, {head}, {line.cells}"


def test_the_first_screen_shows_the_same_times(lines: list[Line], measured: Clone) -> None:
    """Its modes are its columns."""
    first = [line for line in lines if line.table == "Wall time"]
    assert len(first) == 2

    for line in first:
        for mode in ("numpy_only", "fused_cpu"):
            cell = line.cells[line.heads.index(mode)]
            rows = rows_behind(Line("", [], cells=[cell]), lines, measured.root / "results")
            system = line.text("system").replace(" ", "_")
            mine = [row for row in rows if (row["dataset"], row["mode"]) == (system, mode)]

            assert float(cell.sort or "nan") == pytest.approx(
                statistics.mean(per_pack(mine).values()), rel=1e-12
            )


def test_claims_rest_on_their_artifacts(lines: list[Line], measured: Clone) -> None:
    """Extremes and shares of rows, recomputed."""
    claims = {line.text("claim"): line for line in lines if line.id.startswith("claim-")}
    published = ("numpy_only", "torch_mixed", "torch_full")

    def measured_of(words: str) -> tuple[float, Rows]:
        line = claims[words]
        rows = rows_behind(line, lines, measured.root / "results")
        return float(line.cells[line.heads.index("measured")].sort or "nan"), rows

    share, rows = measured_of("executed mode == requested mode in 100 % of rows")
    asked = [row for row in rows if row["mode"] in published]
    assert share == sum(row["mode_executed"].endswith(row["mode"]) for row in asked) / len(asked) == 1

    share, rows = measured_of("the real pools equal the request in every row")
    assert share == sum(set(row["pools"].values()) == {row["threads"]} for row in rows) / len(rows) == 1

    worst, rows = measured_of("stages sum to at least 95 % of the wall time (the rest is at most 5 %)")
    parts = [row["unaccounted_s"] / row["traced_wall_s"] for row in rows if row["role"] == "cell"]
    assert worst == pytest.approx(max(parts), rel=1e-12)

    calls, rows = measured_of(
        "the call-count law holds exactly in every row of the modes that contract pair by pair"
    )
    counted = [row for row in rows if row["mode"] in published and row["role"] == "cell"]
    law = [3 * row["pairs"] + 3 * row["species"] ** 2 for row in counted]  # lmax 2, coefficients
    assert [row["counts"]["contraction"] for row in counted] == law
    assert calls == 1
