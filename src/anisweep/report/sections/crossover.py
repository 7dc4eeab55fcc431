"""Show the break-even sizes of modes, as a folded table of the report."""

from __future__ import annotations

from anisweep.analysis.crossover import Crossover, crossovers
from anisweep.formatting import between, plain, whole
from anisweep.report.model import Measured, Table, Value
from anisweep.report.sections._entries import artifact_links

PLACE = 30

HEADS = ["mode", "what", "N*", "slower up to", "faster from", "time / reference, by particles", "artifacts"]

NOTE = (
    "One call in a fresh interpreter, from its start to its result: imports, constructor, compilation, and "
    "the computation. N* is the number of particles at which a mode takes as long as the reference, read "
    "between the two sizes where the ratio passes 1; a dash: it stays on one side. Beside it stands up to "
    "and from which size the 95 % interval leaves out 1: between these two the data cannot tell."
)


def section(study: Measured) -> Table:
    """Make a table with a line for each mode that was timed in one-off calls."""
    found = crossovers(study.cells)
    several = len({each.site for each in found}) > 1
    rows = [
        [
            Value(each.series, note=each.site if several else ""),
            Value(each.what),
            Value(plain(each.crossing), sort=each.crossing),
            Value(whole(each.slower_up_to), sort=each.slower_up_to),
            Value(whole(each.faster_from), sort=each.faster_from),
            Value(_by_particles(each)),
            Value("", links=artifact_links(list(each.artifacts))),
        ]
        for each in found
    ]
    return Table("From which size on a single call pays", HEADS, rows, note=NOTE)


def _by_particles(found: Crossover) -> str:
    points = zip(found.sizes, found.ratios, strict=True)
    return "; ".join(f"{size}: {plain(r.value)} ({between(r.low, r.high)})" for size, r in points)
