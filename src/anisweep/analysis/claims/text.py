"""Print all claims with their verdicts in the terminal."""

from __future__ import annotations

from collections.abc import Sequence

from anisweep.analysis.claims.ledger import Line


def ledger_as_text(lines: Sequence[Line]) -> str:
    """Return row, figure, range and verdict of each claim, under the rows of the sources' tables."""
    text: list[str] = []
    place: tuple[str, ...] = ()

    for line in lines:
        if place[:2] != (line.source, line.table):
            text += ["", f"== {line.source}: {_words(line.table)}"]
        if place != (line.source, line.table, line.row):
            text += ["", line.row_says]

        place = (line.source, line.table, line.row)
        text.append(f"  {line.verdict:<15}{figure(line):<32}claimed {claimed(line):<22}{line.says}")
        if line.reason:
            text.append(f"  {'':<15}{line.reason}")

    return "\n".join(text).strip()


def figure(line: Line) -> str:
    """Return our figure with its interval, as in ``1.35 (1.29 to 1.42)``."""
    if line.value is None:
        return "–"
    if line.low is None or line.high is None:
        return number(line.value)
    if line.low == line.high:
        return number(line.value)
    return f"{number(line.value)} ({number(line.low)} to {number(line.high)})"


def claimed(line: Line) -> str:
    """Return the claimed range in words."""
    low, high = line.claimed_low, line.claimed_high

    if low is None and high is None:
        return "–"
    if low is None:
        return f"at most {number(high)}"
    if high is None:
        return f"at least {number(low)}"
    return f"exactly {number(low)}" if low == high else f"{number(low)} to {number(high)}"


def number(value: float | None) -> str:
    """Format a number: whole ones as they are, others with three digits."""
    if value is None:
        return "–"
    return f"{value:,.0f}" if value == round(value) and abs(value) < 1e9 else f"{value:.3g}"


def _words(name: str) -> str:
    return name.replace("_", " ")
