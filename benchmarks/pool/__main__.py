"""Runs them all: ``python -m benchmarks.pool [--quick]``. Needs what the test pool needs: root on Debian."""

from __future__ import annotations

import argparse
import json
import os
import platform
import sys
from dataclasses import dataclass
from pathlib import Path

from benchmarks.pool import following, overhead, replay, upstream
from benchmarks.pool.acceptance import Submission
from benchmarks.pool.figures import Figures
from benchmarks.pool.stage import Stage, stage
from condor.pool import Bind, why_not

RESULTS = Path("results/benchmarks-pool.json")
PAGE = Path("docs/reference/benchmarks-pool.md")


@dataclass(frozen=True)
class Sizes:
    """How much is measured."""

    accepted: int
    submissions: int
    packs: int
    pairs: int
    followed: int
    follow_s: int
    replayed: int
    replay_s: int


FULL = Sizes(
    accepted=10_000,
    submissions=5,
    packs=200,
    pairs=5,
    followed=1_500,
    follow_s=600,
    replayed=10_000,
    replay_s=600,
)
QUICK = Sizes(
    accepted=1_000, submissions=1, packs=12, pairs=1, followed=40, follow_s=15, replayed=500, replay_s=30
)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.pool", description="Figures, never judged.")
    parser.add_argument("--quick", action="store_true", help="small sizes: only whether it runs")
    quick = parser.parse_args().quick

    if why_not():
        sys.exit(f"These benchmarks need a pool of their own, and there can be none here: {why_not()}.")

    with stage([Bind(upstream.environment())]) as where:
        figures = measure(where, QUICK if quick else FULL)

    print(figures.page())
    if not quick:
        figures.write(RESULTS)
        PAGE.write_text(figures.page())
        print(f"written: {RESULTS}, {PAGE}")


def measure(where: Stage, sizes: Sizes) -> Figures:
    """Everything in turn."""
    say(f"{sizes.accepted} packs, accepted by the schedd")
    command = ("python", "-m", "benchmarks.pool.acceptance", str(sizes.accepted), str(sizes.submissions))
    submissions = [Submission(**json.loads(line)) for line in where.run(*command).splitlines()]

    say(f"{sizes.packs} packs, from the command to the last artifact")
    runs = overhead.compare(where, sizes.packs, sizes.pairs)

    say(f"{sizes.replayed} packs, replayed")
    log = next(where.clone.glob("by-hand/events.log"))
    artifact = next(where.clone.glob("by-hand/results/artifacts/*.tar.gz"))
    replayed = replay.replay(log, artifact, sizes.replayed, sizes.replay_s)

    say(f"{sizes.followed} packs, followed")
    followed = following.follow(where, sizes.followed, sizes.follow_s)

    machine = f"{os.cpu_count()} cores ({platform.machine()})"
    return Figures(machine, submissions, runs, replayed, followed)


def say(words: str) -> None:
    print(f"\n{words}", flush=True)


if __name__ == "__main__":
    main()
