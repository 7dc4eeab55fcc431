"""Show what threads gain, and what a fixed number of them costs and hides, as a folded table."""

from __future__ import annotations

from collections.abc import Sequence

from anisweep.analysis.thread_scaling import ScalingPoint, scaling_points
from anisweep.cell import NOT_PINNED
from anisweep.formatting import NOTHING, between, counted, milliseconds, plain, whole
from anisweep.report.model import Measured, Table, Value
from anisweep.report.sections._entries import artifact_links

PLACE = 20

HEADS = ["system", "mode", "threads", "time / ms", "95 % interval", "speed-up", "95 % interval", "verdict"]
HEADS += ["cores in use", "replicates", "artifacts"]

#: Sorts behind every number of threads. (A page has no infinity.)
MOST = 10**6

NOTE = (
    "The speed-up is the time with the fewest threads over the time. Not pinned: no library was told how "
    "many threads to take, as when nobody thinks of it. Cores in use are CPU seconds in a second of wall "
    "time; what waits in a loop uses its core too."
)


def section(study: Measured) -> Table:
    """Make a table with a line for each number of threads, where a study has several."""
    found = scaling_points(study.cells)
    rows = [
        [
            Value(point.system),
            Value(point.series),
            Value(point.pinning, sort=point.threads if point.threads != NOT_PINNED else MOST),
            Value(milliseconds(point.time.mean), sort=point.time.mean),
            Value(between(1e3 * point.time.low, 1e3 * point.time.high)),
            *_speed_up(point),
            Value(plain(point.cores.mean), sort=point.cores.mean),
            Value(whole(point.time.count), sort=point.time.count),
            Value("", links=artifact_links(list(point.artifacts))),
        ]
        for point in found
    ]
    note = " ".join(filter(None, [NOTE, costs_and_hides(found)]))
    return Table("What threads gain, and what pinning costs and hides", HEADS, rows, note=note)


def _speed_up(point: ScalingPoint) -> list[Value]:
    if point.ratio is None:
        return [Value("1", sort=1.0), Value(NOTHING), Value("reference")]

    speed_up = 1 / point.ratio.value
    limits = between(1 / point.ratio.high, 1 / point.ratio.low)
    return [Value(plain(speed_up), sort=speed_up), Value(limits), Value(point.ratio.verdict)]


def costs_and_hides(found: Sequence[ScalingPoint]) -> str:
    """Write a sentence a site on its largest problem: the time of each way when pinned / when it is not."""
    sentences = []

    for site in sorted({point.site for point in found}):
        free = [
            point for point in found if point.site == site and point.threads == NOT_PINNED and point.ratio
        ]
        largest = [point for point in free if point.pairs == max(each.pairs for each in free)]
        if largest:
            largest = [point for point in largest if point.system == largest[0].system]
            where = f"{largest[0].system} at {site}"
            parts = "; ".join(map(_in_words, largest))
            fewest = counted(largest[0].fewest, "thread")
            sentences.append(f"Pinned to {fewest}, for {where}: {parts}.")
    return " ".join(sentences)


def _in_words(point: ScalingPoint) -> str:
    assert point.ratio is not None
    limits = between(1 / point.ratio.high, 1 / point.ratio.low)
    known = "" if limits == NOTHING else f" ({limits})"
    return (
        f"{point.series} takes {plain(1 / point.ratio.value)}{known} times as long as not pinned, "
        f"where it uses {plain(point.cores.mean, 2)} cores"
    )
