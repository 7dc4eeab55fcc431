"""Show the claims of earlier work in the report, each with our figure and the verdict."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from anisweep.analysis.claims import Line, Verdict
from anisweep.analysis.claims.text import claimed, figure, number
from anisweep.formatting import NOTHING
from anisweep.report.model import Table, Value
from anisweep.report.sections._entries import artifact_links

HEADS = ["claim", "verdict", "claimed", "measured", "95 % interval", "why", "rests on", "source", "row there"]

NOTE = (
    "Confirmed: the 95 % interval lies inside the claimed range; refuted: wholly outside; inconclusive: it "
    "holds a bound. A single number means 10 % to either side. Counts and extremes have no interval. The "
    "conditions appear when the mouse rests on a claim. `results/claims.csv` holds the same."
)

#: In this order they stand in the title.
VERDICTS: list[Verdict] = ["confirmed", "refuted", "inconclusive", "open", "not measurable"]
UNJUDGED = ("open", "not measurable")


def claims_table(lines: Sequence[Line]) -> Table:
    """Make a table with a line for each claim, those that are judged first.

    Parameters
    ----------
    lines : what `anisweep.analysis.claims.read` gives
    """
    counts = Counter(line.verdict for line in lines)
    title = ", ".join(f"{counts[verdict]} {verdict}" for verdict in VERDICTS if counts[verdict])
    ordered = sorted(enumerate(lines), key=lambda numbered: numbered[1].verdict in UNJUDGED)
    rows = [_row(line) for _, line in ordered]
    ids = [f"claim-{number}" for number, _ in ordered]
    return Table(f"Claims of earlier work: {title}", HEADS, rows, ids, NOTE)


def _row(line: Line) -> list[Value]:
    where = f" at {line.site}" if line.site else ""
    basis = f"{line.count} {line.count_of}{where}" if line.count else ""
    interval = figure(line).partition(" (")[2].rstrip(")")

    return [
        Value(line.says, title=line.conditions),
        Value(line.verdict, strong=line.verdict in ("confirmed", "refuted")),
        Value(claimed(line).replace(NOTHING, "")),
        Value(number(line.value), sort=line.value),
        Value(interval),
        Value(line.reason),
        Value(basis, links=artifact_links(line.artifacts.split())),
        Value(line.source.lstrip("0123456789_").replace("_", " ")),
        Value(line.row_says),
    ]
