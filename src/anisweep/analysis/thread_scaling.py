"""Measure thread scaling: what more threads gain, and what a fixed number of them costs and hides.

Times at different numbers of threads come from different packs, so they are compared as two independent
sets (Welch's interval on the logarithms). Where nothing is pinned their ratio says what pinning costs, and
the cores in use say what it hides. Waiting in a loop is use as well.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import pandas as pd

from anisweep.cell import NOT_PINNED
from anisweep.tables.names import threads_in_words, with_names
from anisweep.tables.statistics import Interval, Ratio, interval, interval_of_times, unpaired_ratio
from anisweep.tables.summary import PROBLEM, WAY

#: How a problem is computed, whatever the threads.
WAY_BUT_THREADS = [name for name in WAY if name != "threads"]


@dataclass(frozen=True)
class ScalingPoint:
    """Describe the time of one way to compute one problem, with one number of threads.

    Attributes
    ----------
    series : the way, without its threads
    time : seconds of one call
    ratio : time / time with the fewest threads; ``None`` for these
    cores : CPU time / wall time
    artifacts : of these packs, and of those with the fewest threads
    """

    site: str
    system: str
    series: str
    pairs: int
    threads: int
    fewest: int
    time: Interval
    ratio: Ratio | None
    cores: Interval
    artifacts: tuple[str, ...]

    @property
    def pinning(self) -> str:
        """Return ``2 thr.``, or ``not pinned``."""
        return threads_in_words(self.threads)


def scaling_points(cells: pd.DataFrame) -> list[ScalingPoint]:
    """Return every point that a study measures with several numbers of threads, few before many.

    Parameters
    ----------
    cells : what `anisweep.tables.cells_table` gives
    """
    timed = cells[(cells["role"] == "cell") & (cells["status"] == "ok") & cells["wall_s"].notna()]
    if timed["threads"].nunique() < 2:
        return []

    named = with_names(timed.assign(threads=1)).assign(
        threads=timed["threads"], cores=timed["cpu_s"] / timed["wall_s"]
    )
    return [
        point
        for _, rows in named.groupby([*PROBLEM, *WAY_BUT_THREADS])
        if rows["threads"].nunique() > 1
        for point in _of_one_way(rows)
    ]


def _of_one_way(rows: pd.DataFrame) -> Iterator[ScalingPoint]:
    by_threads = {int(str(threads)): lines for threads, lines in rows.groupby("threads")}
    pinned = sorted(threads for threads in by_threads if threads != NOT_PINNED)
    order = [*pinned, *(threads for threads in by_threads if threads == NOT_PINNED)]
    packs = {threads: _packs(lines) for threads, lines in by_threads.items()}
    one = rows.iloc[0]

    for threads in order:
        here, base = packs[threads], packs[order[0]]
        yield ScalingPoint(
            site=str(one["site"]),
            system=str(one["system"]),
            series=str(one["series"]),
            pairs=int(rows["pairs"].max()),
            threads=threads,
            fewest=order[0],
            time=interval_of_times(here["wall_s"].tolist(), here["host"].tolist()),
            ratio=None if threads == order[0] else _ratio(here, base),
            cores=interval(here["cores"].tolist(), here["host"].tolist()),
            artifacts=tuple(sorted({*by_threads[threads]["artifact"], *by_threads[order[0]]["artifact"]})),
        )


def _packs(lines: pd.DataFrame) -> pd.DataFrame:
    """Return one time a pack."""
    return lines.groupby("pack", as_index=False).agg({"wall_s": "median", "cores": "median", "host": "first"})


def _ratio(here: pd.DataFrame, base: pd.DataFrame) -> Ratio:
    return unpaired_ratio(
        here["wall_s"].tolist(), base["wall_s"].tolist(), here["host"].tolist(), base["host"].tolist()
    )
