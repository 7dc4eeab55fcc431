"""Read the tables of the AniSOAP profiling study line by line: keep what is right, and name what is wrong."""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, fields, replace
from pathlib import PurePosixPath
from typing import Any, get_type_hints

from anisweep.bundles.archive import Member, Refused
from anisweep.formatting import counted
from anisweep.parsing.json_text import read_json
from anisweep.parsing.numbers import is_number
from anisweep.tables.old_rows import OldRow

#: Old names of the same thing.
ALIASES = {"species_unique": "species", "xyz": "file", "s": "wall_s"}

#: Columns of ``timings.csv``, which has no head.
HEADLESS = ["id", "file", "mode", "wall_s"]

#: Without one of these sets of columns a table says nothing.
NEEDED: dict[str, list[set[str]]] = {
    "timings": [{"file", "mode", "wall_s"}],
    "summary": [{"file", "mode", "wall_mean"}, {"tag", "util"}],
    "combined": [{"file", "mode", "wall_s"}],
}

METRICS = ["xyz", "mode", "returncode", "elapsed_s"]
POSITIVE = {"wall_s", "wall_mean", "elapsed_s", "N", "species", "runs"}
LONGEST_TEXT = 200
LARGEST_TABLE = 16 * 2**20
MOST_LINES = 200_000

KINDS: dict[str, Any] = get_type_hints(OldRow)
OURS = {"site", "table", "provenance", "unproven", "bundle", "bundle_sha256", "member", "line"}
COLUMNS = {column.name for column in fields(OldRow)} - OURS


@dataclass
class Parsed:
    """Hold the rows that a table gave, and what was refused of it."""

    rows: list[OldRow] = field(default_factory=list)
    refused: list[Refused] = field(default_factory=list)


def table_name(member: str) -> str:
    """Return the name of an old table, as in ``timings_local`` or ``metrics``; empty where it is no table."""
    name = PurePosixPath(member).name

    if name.endswith(".metrics.json"):
        return "metrics"

    stem, _, suffix = name.rpartition(".")
    known = stem.split("_")[0] in NEEDED and stem.replace("_", "").isalnum() and len(stem) < 60
    return stem if suffix == "csv" and known else ""


def parse(member: Member, site: str) -> Parsed:
    """Return the rows of one old table, or of one ``*.metrics.json``.

    Parameters
    ----------
    site : of the bundle; the name of a table (``timings_chtc``) goes before it
    """
    name = table_name(member.name)
    like = OldRow(site=_site_of(name) or site, table=name, member=member.name)

    if len(member.content) > LARGEST_TABLE:
        return Parsed(refused=[Refused(member.name, f"a table larger than {LARGEST_TABLE >> 20} MB")])

    try:
        text = member.content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        return Parsed(refused=[Refused(member.name, f"no text in UTF-8 ({error.reason})")])
    return _parse_metrics(text, like) if name == "metrics" else _parse_csv(text, like)


def _site_of(table: str) -> str:
    kind, _, site = table.partition("_")
    return site if kind in ("timings", "summary") else ""


def _parse_csv(text: str, like: OldRow) -> Parsed:
    if text.count("\n") > MOST_LINES:
        return Parsed(refused=[Refused(like.member, f"a table of more than {MOST_LINES:,} lines")])

    lines = list(_lines(text))
    head, first = _head(lines, like.table)
    columns = [ALIASES.get(name, name) for name in head]
    needed = NEEDED[like.table.split("_")[0]]

    if not any(choice <= set(columns) for choice in needed) or len(set(columns)) != len(columns):
        came = ", ".join(head)[:200] or "none"
        allowed = " or ".join(", ".join(sorted(choice)) for choice in needed)
        return Parsed(refused=[Refused(like.member, f"its columns are {came}; needed are {allowed}")])

    parsed = Parsed()
    for number, values in enumerate(lines[first:], first + 1):
        if not values:
            continue
        try:
            parsed.rows.append(_row(columns, values, replace(like, line=number)))
        except ValueError as error:
            parsed.refused.append(Refused(f"{like.member}, line {number}", str(error)))
    return parsed


def _lines(text: str) -> Iterator[list[str]]:
    """Yield the entries of each line; of a line that is no CSV its text, which then has too few of them."""
    reader = csv.reader(io.StringIO(text), strict=True)

    while True:
        try:
            yield next(reader)
        except csv.Error as error:
            yield [f"no CSV ({error})"]
        except StopIteration:
            return


def _head(lines: list[list[str]], table: str) -> tuple[list[str], int]:
    """Return the names of the columns, and where the rows begin; the job's ``timings.csv`` has no head."""
    first = lines[0] if lines else []

    if table == "timings" and len(first) == len(HEADLESS) and is_number(first[-1]):
        return HEADLESS, 0
    return [name.strip() for name in first], 1


def _parse_metrics(text: str, like: OldRow) -> Parsed:
    try:
        plain = read_json(text)
    except ValueError as error:
        return Parsed(refused=[Refused(like.member, f"no JSON ({error})")])

    missing = [name for name in METRICS if not isinstance(plain, dict) or name not in plain]
    if missing:
        return Parsed(refused=[Refused(like.member, f"needed: {', '.join(METRICS)}; missing: {missing}")])

    columns = [ALIASES.get(name, name) for name in map(str, plain)]
    values: list[str] = ["" if value is None else str(value) for value in plain.values()]
    try:
        return Parsed(rows=[_row(columns, values, like)])
    except ValueError as error:
        return Parsed(refused=[Refused(like.member, str(error))])


def _row(columns: Sequence[str], values: Sequence[str], like: OldRow) -> OldRow:
    """Build a row from the values of a line.

    Raises
    ------
    ValueError
        naming the column and what stands in it
    """
    if len(values) != len(columns):
        raise ValueError(f"{counted(len(values), 'entry', 'entries')} where {len(columns)} belong")
    entries = {name: _entry(name, text.strip()) for name, text in _known(columns, values)}

    for name in ("file", "mode", "wall_s", "wall_mean", "elapsed_s"):
        if name in entries and entries[name] in (None, ""):
            raise ValueError(f"{name} is empty")
    return replace(like, **entries)


def _known(columns: Sequence[str], values: Sequence[str]) -> Iterator[tuple[str, str]]:
    """Return the pairs of known columns and their values; columns that nobody knows are passed over."""
    return ((name, text) for name, text in zip(columns, values, strict=True) if name in COLUMNS)


def _entry(name: str, text: str) -> Any:
    kind = KINDS[name]

    if kind is str:
        if len(text) > LONGEST_TEXT or not text.isprintable():
            raise ValueError(f"{name} is no word of at most {LONGEST_TEXT} letters")
        return text
    return _number(name, text, whole=int in kind.__args__) if text else None


def _number(name: str, text: str, whole: bool) -> float | int:
    if not is_number(text):
        raise ValueError(f"{name} is {text[:40]!r}, which is no number")
    value = float(text)

    if not math.isfinite(value) or (name in POSITIVE and value <= 0) or (value < 0 and name != "returncode"):
        raise ValueError(f"{name} is {text[:40]!r}; allowed: a finite number above 0")
    if whole and not (value.is_integer() and abs(value) < 2**53):
        raise ValueError(f"{name} is {text[:40]!r}, which is no whole number")
    return int(value) if whole else value
