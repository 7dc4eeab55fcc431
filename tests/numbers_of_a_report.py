"""The numbers of a report's page, followed by their links to the artifacts, and recomputed from these alone.

Nothing here reads a table or calls what makes one.
"""

from __future__ import annotations

import json
import math
import random
import statistics
import tarfile
from collections.abc import Callable
from dataclasses import dataclass, field
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

Rows = list[dict[str, Any]]


@dataclass
class Cell:
    text: str = ""
    note: str = ""
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
            self.table = given["aria-label"].partition(":")[0]
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
        if self.inside == "small":
            self.lines[-1].cells[-1].note += data


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


def of_problem(line: Line, rows: Rows) -> Rows:
    """Those of the line's data set and output, of every mode."""
    cell = line.cells[line.heads.index("system")]
    dataset, _, said = (words.strip().replace(" ", "_") for words in cell.text.partition(","))
    if line.table == "Wall time":  # where the output stands below the data set
        said = cell.note.strip().replace(" ", "_")

    here = [row for row in rows if row["dataset"] == dataset]
    outputs = {row["output"] for row in here}
    output = said or ("coefficients" if "coefficients" in outputs else outputs.pop())
    return [row for row in here if row["output"] == output]


def of_line(line: Line, rows: Rows) -> Rows:
    """Those of the line's system and mode, references too."""
    mode = line.text("mode" if "mode" in line.heads else "take")
    return [row for row in of_problem(line, rows) if row["mode"] == mode]


# --- the same numbers, from the rows of artifacts alone -------------------------------------------------


def of_growth(line: Line, rows: Rows) -> Rows:
    """The cells of the line's mode and output, whatever the data set."""
    output = line.text("what").replace(" ", "_")
    wanted = {"role": "cell", "mode": line.text("mode"), "output": output}
    return [row for row in rows if all(row[key] == is_ for key, is_ in wanted.items())]


def per_pack(rows: Rows, role: str = "cell") -> dict[str, float]:
    """Median of the cells' times, or geometric mean of the references'."""
    packs: dict[str, list[float]] = {}
    for row in rows:
        if row["role"].endswith(role):
            packs.setdefault(row["pack"], []).append(row["wall_s"])

    mean = statistics.median if role == "cell" else statistics.geometric_mean
    return {pack: mean(walls) for pack, walls in packs.items()}


def ratio(line: Line, rows: Rows) -> float:
    walls = per_pack(of_line(line, rows))
    references = per_pack(of_problem(line, rows), "reference")
    return statistics.geometric_mean([walls[pack] / references[pack] for pack in walls])


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
    "conv in",
    "conv out",
    "descriptors",
    "gaussians",
    "moments",
    "neighbours",
    "orthonormalise",
    "pair loop",
    "power spectrum",
    "setup",
    "sum neighbours",
]


def times(line: Line, rows: Rows) -> list[float]:
    """One a pack."""
    return list(per_pack(of_line(line, rows)).values())


def median(line: Line, rows: Rows, column: str) -> float:
    return statistics.median(cells(line, rows, column))


def start(rows: Rows) -> float:
    """Constructor, and the first call beyond the others."""
    return statistics.median(r["prepare_s"] + max(0.0, r["first_call_s"] - r["wall_s"]) for r in rows)


def pays_from(line: Line, rows: Rows) -> float:
    """Computations after which a longer start is earned back."""
    taken = [row for row in of_line(line, rows) if row["role"] == "cell"]
    reference = next(row["mode"] for row in of_problem(line, rows) if row["role"].endswith("reference"))
    others = [r for r in of_problem(line, rows) if r["mode"] == reference and r["role"] == "cell"]

    gained = statistics.mean(per_pack(others).values()) - statistics.mean(per_pack(taken).values())
    return max(1, math.ceil((start(taken) - start(others)) / gained))


def conversion(line: Line, rows: Rows) -> float:
    both = median(line, rows, "conv_in_s") + median(line, rows, "conv_out_s")
    return both / median(line, rows, "traced_wall_s")


#: Measures of size, of one row.
SIZES: dict[str, Callable[[dict[str, Any]], float]] = {
    "pairs": lambda row: row["pairs"],
    "N²": lambda row: row["particles"] ** 2 / row["frames"],
    "Σ N_a N_b, a ≤ b": lambda row: row["species_products"],
    "species": lambda row: row["species"],
}


def sizes(line: Line, rows: Rows) -> list[float]:
    return [SIZES[line.text("along")](row) for row in of_growth(line, rows)]


def fits(line: Line, rows: Rows) -> list[tuple[float, float]]:
    """Of each replicate the slope of log time over log size, and the mean squared distance from the line."""
    found = []

    for replicate in sorted({row["replicate"] for row in rows}):
        mine = [row for row in of_growth(line, rows) if row["replicate"] == replicate]
        x = [math.log(SIZES[line.text("along")](row)) for row in mine]
        y = [math.log(row["wall_s"]) for row in mine]
        fit = statistics.linear_regression(x, y)
        distances = [b - fit.intercept - fit.slope * a for a, b in zip(x, y, strict=True)]
        found.append((fit.slope, statistics.fmean(d * d for d in distances)))
    return found


def scatter(line: Line, rows: Rows) -> float:
    return math.exp(math.sqrt(statistics.fmean(square for _, square in fits(line, rows))))


def in_dictionary(column: str, key: str, of_all: Callable[[list[float]], float]) -> Callable[..., float]:
    """Of an entry in a dictionary of the rows that have it, whatever their output."""

    def value(line: Line, rows: Rows) -> float:
        wanted = line.text("system").replace(" ", "_"), line.text("mode")
        mine = [row for row in rows if (row["dataset"], row["mode"]) == wanted]
        return of_all([row[column][key] for row in mine if key in row[column]])

    return value


def crossing(line: Line, rows: Rows) -> float:
    """Particles at which one call takes as long as the reference's, on a line through logarithms."""
    reference = next(row["mode"] for row in rows if row["role"].endswith("reference"))
    output = line.text("what").replace(" ", "_")
    called = [row for row in rows if row["role"] == "cell" and row["output"] == output]
    sizes = sorted({row["particles"] for row in called})
    logs = [
        statistics.fmean(
            math.log(seconds_of_one_call(called, line.text("mode"), size, pack))
            - math.log(seconds_of_one_call(called, reference, size, pack))
            for pack in sorted({row["pack"] for row in called if row["particles"] == size})
        )
        for size in sizes
    ]

    falls = [k for k in range(1, len(sizes)) if logs[k] < 0 <= logs[k - 1]]
    k = falls[-1]
    part = logs[k - 1] / (logs[k - 1] - logs[k])
    return float(sizes[k - 1] * (sizes[k] / sizes[k - 1]) ** part)


def seconds_of_one_call(rows: Rows, mode: str, particles: int, pack: str) -> float:
    wanted = {"mode": mode, "particles": particles, "pack": pack}
    return statistics.median(
        row["one_off_s"] for row in rows if all(row[key] == is_ for key, is_ in wanted.items())
    )


def of_threads(line: Line, rows: Rows, words: str = "") -> Rows:
    """The cells of the line's system and mode, with its threads or others."""
    threads = {"1 thr.": 1, "2 thr.": 2, "not pinned": 0}[words or line.text("threads")]
    return [row for row in of_line(line, rows) if row["role"] == "cell" and row["threads"] == threads]


def speed_up(line: Line, rows: Rows) -> float:
    few, many = (
        statistics.geometric_mean(per_pack(of_threads(line, rows, words)).values())
        for words in ("1 thr.", line.text("threads"))
    )
    return few / many


def cores(line: Line, rows: Rows) -> float:
    return statistics.fmean(row["cpu_s"] / row["wall_s"] for row in of_threads(line, rows))


INVARIANCES = ["inversion", "orientations alone", "permutation", "rotation", "sign", "translation"]
LEARNED = {"R²": "r2", "error": "rmse", "R², shuffled": "r2_shuffled"}

#: Heads of these stand for modes.
FIRST = "Wall time"

ONE_CALL = "From which size on a single call pays"
THREADS = "What threads gain, and what pinning costs and hides"

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
    ("What to take", "mean / ms"): lambda line, rows: statistics.mean(times(line, rows)),
    ("What to take", "time / reference"): ratio,
    ("What to take", "error"): lambda line, rows: max(cells(line, rows, "max_relative_error")),
    ("What to take", "frames in an hour"): lambda line, rows: (
        3600 * of_line(line, rows)[0]["frames"] / statistics.mean(times(line, rows))
    ),
    ("What to take", "pays from"): pays_from,
    ("How the time grows", "from"): lambda line, rows: min(sizes(line, rows)),
    ("How the time grows", "to"): lambda line, rows: max(sizes(line, rows)),
    ("How the time grows", "points"): lambda line, rows: len(sizes(line, rows)) / len(fits(line, rows)),
    ("How the time grows", "exponent"): lambda line, rows: statistics.mean(p for p, _ in fits(line, rows)),
    ("How the time grows", "scatter"): scatter,
    ("How the time grows", "replicates"): lambda line, rows: len(fits(line, rows)),
    ("Is it conversion, or kernels and threads?", "time / reference"): ratio,
    ("Is it conversion, or kernels and threads?", "conversion"): conversion,
    ("Is it conversion, or kernels and threads?", "ratio without it"): lambda line, rows: (
        ratio(line, rows) * (1 - conversion(line, rows))
    ),
    **{
        ("What the power spectrum does not feel", name): in_dictionary(
            "invariances", name.replace(" ", "_"), max
        )
        for name in INVARIANCES
    },
    **{
        ("What a model learns", head): in_dictionary("downstream", key, statistics.mean)
        for head, key in LEARNED.items()
    },
    (ONE_CALL, "N*"): crossing,
    (THREADS, "time / ms"): lambda line, rows: statistics.mean(per_pack(of_threads(line, rows)).values()),
    (THREADS, "speed-up"): speed_up,
    (THREADS, "cores in use"): cores,
    (THREADS, "replicates"): lambda line, rows: len(per_pack(of_threads(line, rows))),
    (FIRST, "pairs"): lambda line, rows: max(row["pairs"] for row in of_problem(line, rows)),
    ("Artifacts", "rows"): lambda line, rows: len(rows),
}

#: Numbers that are no measurement of an artifact's, or have a test of their own.
OTHERS = {
    ("Every measurement", "replicate"),
    ("Every measurement", "process"),
    ("Not ok", "replicate"),
    ("Noise warnings", "rows"),
    ("All times and ratios", "detectable"),
    ("Claims of earlier work", "measured"),
    ("What a model learns", "bound"),
    (ONE_CALL, "slower up to"),
    (ONE_CALL, "faster from"),
    (THREADS, "threads"),
    *(("Platforms", head) for head in ("packs", "cores", "memory / GB")),
}


def recompute(line: Line, head: str, rows: Rows) -> float:
    if line.table == FIRST and head != "pairs":
        named = [row for row in of_problem(line, rows) if row["mode"] == head]
        return statistics.mean(per_pack(named).values())
    return RECOMPUTED[line.table, head](line, rows)


def numbers(lines: list[Line]) -> dict[tuple[str, str], list[tuple[Line, float]]]:
    """Every number of the page, by table and column."""
    found: dict[tuple[str, str], list[tuple[Line, float]]] = {}

    for line in lines:
        for head, cell in zip(line.heads, line.cells, strict=True):
            if cell.sort is not None:
                found.setdefault((line.table, head), []).append((line, float(cell.sort)))
    return found


def known(table: str, head: str) -> bool:
    """Whether it is told here how to recompute it."""
    return table == FIRST or (table, head) in RECOMPUTED


def drawn(lines: list[Line], count: int, seed: int) -> list[tuple[Line, str, float]]:
    """So many numbers at random; each column of each table is as likely as a longer one."""
    rng = random.Random(seed)
    columns = {column: entries for column, entries in numbers(lines).items() if known(*column)}
    taken: dict[tuple[int, str], tuple[Line, str, float]] = {}

    while len(taken) < count:
        table, head = rng.choice(sorted(columns))
        line, value = rng.choice(columns[table, head])
        taken[id(line), head] = (line, head, value)
    return list(taken.values())
