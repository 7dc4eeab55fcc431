"""What threads gain, and what parity costs and hides, as a folded table of the report."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from anisweep.cell import NOT_PINNED
from anisweep.parity import Gain, gains
from anisweep.report.content import Table, Value
from anisweep.report.details import artifact_links
from anisweep.report.numbers import NOTHING, between, milliseconds, plain, whole

HEADS = ["system", "mode", "threads", "time / ms", "95 % interval", "speed-up", "95 % interval", "verdict"]
HEADS += ["cores in use", "replicates", "artifacts"]

#: Sorts behind every number of threads. (A page has no infinity.)
MOST = 10**6

NOTE = (
    "The speed-up is the time with the fewest threads over the time. Not pinned: no library was told how "
    "many threads to take, as when nobody thinks of it. Cores in use are CPU seconds in a second of wall "
    "time; what waits in a loop uses its core too."
)


def parity_table(cells: pd.DataFrame) -> Table:
    """A line for each number of threads, where a study has several.

    Parameters
    ----------
    cells : what `anisweep.tables.cells_table` gives
    """
    found = gains(cells)
    rows = [
        [
            Value(gain.system),
            Value(gain.series),
            Value(gain.pinning, sort=gain.threads if gain.threads != NOT_PINNED else MOST),
            Value(milliseconds(gain.time.mean), sort=gain.time.mean),
            Value(between(1e3 * gain.time.low, 1e3 * gain.time.high)),
            *_speed_up(gain),
            Value(plain(gain.cores.mean), sort=gain.cores.mean),
            Value(whole(gain.time.count), sort=gain.time.count),
            Value("", links=artifact_links(list(gain.artifacts))),
        ]
        for gain in found
    ]
    note = " ".join(filter(None, [NOTE, costs_and_hides(found)]))
    return Table("What threads gain, and what parity costs and hides", HEADS, rows, note=note)


def _speed_up(gain: Gain) -> list[Value]:
    if gain.ratio is None:
        return [Value("1", sort=1.0), Value(NOTHING), Value("reference")]

    speed_up = 1 / gain.ratio.value
    limits = between(1 / gain.ratio.high, 1 / gain.ratio.low)
    return [Value(plain(speed_up), sort=speed_up), Value(limits), Value(gain.ratio.verdict)]


def costs_and_hides(found: Sequence[Gain]) -> str:
    """A sentence a site on its largest problem: the time of each way when pinned / when it is not."""
    sentences = []

    for site in sorted({gain.site for gain in found}):
        free = [gain for gain in found if gain.site == site and gain.threads == NOT_PINNED and gain.ratio]
        largest = [gain for gain in free if gain.pairs == max(each.pairs for each in free)]
        if largest:
            largest = [gain for gain in largest if gain.system == largest[0].system]
            where = f"{largest[0].system} at {site}"
            parts = "; ".join(map(_in_words, largest))
            fewest = "1 thread" if largest[0].fewest == 1 else f"{largest[0].fewest} threads"
            sentences.append(f"Pinned to {fewest}, for {where}: {parts}.")
    return " ".join(sentences)


def _in_words(gain: Gain) -> str:
    assert gain.ratio is not None
    limits = between(1 / gain.ratio.high, 1 / gain.ratio.low)
    known = "" if limits == NOTHING else f" ({limits})"
    return (
        f"{gain.series} takes {plain(1 / gain.ratio.value)}{known} times as long as not pinned, "
        f"where it uses {plain(gain.cores.mean, 2)} cores"
    )
