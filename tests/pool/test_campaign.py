"""Random interleavings of cancel, hold, release, rm, kill -9, TERM, lost terminals, restarts, clean and move.

CAMPAIGN=1-200 tries these seeds in place of the first ones.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor

import pytest
from campaign import campaign
from jobs import AT_ONCE

from condor.pool import Pool

pytestmark = pytest.mark.fault

FIRST, _, LAST = os.environ.get("CAMPAIGN", "1-10").partition("-")

SEEDS = range(int(FIRST), int(LAST or FIRST) + 1)


@pytest.fixture(scope="module")
def under_way(pool: Pool, image: str) -> Iterator[dict[int, Future[None]]]:
    """All of them, some side by side on one pool."""
    with ThreadPoolExecutor(AT_ONCE) as threads:
        yield {seed: threads.submit(campaign, pool, seed) for seed in SEEDS}
        threads.shutdown(cancel_futures=True)  # after Ctrl-C nobody waits for those that have not begun


@pytest.mark.parametrize("seed", SEEDS)
def test_whatever_happens_the_end_is_the_same(seed: int, under_way: dict[int, Future[None]]) -> None:
    under_way[seed].result()
