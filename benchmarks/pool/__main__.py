"""``python -m benchmarks.pool [--quick] [PART ...]``: all parts, or some.

They are accepted, compared, described, fitted and followed. What each has measured is on disk before the next
one begins, and the page is made of all that is there. They need what the test pool needs: root on Debian.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import sys
from dataclasses import asdict, dataclass
from pathlib import Path

from benchmarks.pool import described as shards
from benchmarks.pool import fitted as large
from benchmarks.pool import following, overhead, replay, upstream
from benchmarks.pool.figures import Figures
from benchmarks.pool.stage import Stage, stage
from condor.pool import Bind, why_not

RESULTS = Path("results/benchmarks-pool")
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
    described: int
    fitted: int
    replayed: int
    replay_s: int


FULL = Sizes(
    accepted=10_000,
    submissions=5,
    packs=80,
    pairs=3,
    followed=1_000,
    follow_s=300,
    described=400_000,
    fitted=200_000,
    replayed=10_000,
    replay_s=600,
)
QUICK = Sizes(
    accepted=1_000,
    submissions=1,
    packs=12,
    pairs=1,
    followed=40,
    follow_s=15,
    described=2_000,
    fitted=2_000,
    replayed=500,
    replay_s=30,
)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.pool", description="Figures, never judged.")
    parser.add_argument("--quick", action="store_true", help="small sizes: only whether it runs")
    parser.add_argument("parts", nargs="*", metavar="PART", help="only these; the others keep their figures")
    given = parser.parse_args()
    if not PARTS.keys() >= set(given.parts):
        parser.error(f"allowed: {', '.join(PARTS)}")

    if why_not():
        sys.exit(f"These benchmarks need a pool of their own, and there can be none here: {why_not()}.")

    folder = RESULTS.with_name(f"{RESULTS.name}-quick") if given.quick else RESULTS
    folder.mkdir(parents=True, exist_ok=True)
    with stage([Bind(upstream.environment())]) as where:
        for name in given.parts or PARTS:
            PARTS[name](where, QUICK if given.quick else FULL, folder)

    try:
        page = Figures.read(folder, f"{os.cpu_count()} cores ({platform.machine()})").page()
    except FileNotFoundError as missing:
        sys.exit(f"{missing.filename}: not measured yet. The page is written when all parts have been.")
    print(page)
    if not given.quick:
        PAGE.write_text(page)
        print(f"written: {folder}, {PAGE}")


def accepted(where: Stage, sizes: Sizes, folder: Path) -> None:
    """What the schedd takes to accept very many packs."""
    say(f"{sizes.accepted} packs, accepted by the schedd")
    command = ("python", "-m", "benchmarks.pool.acceptance", str(sizes.accepted), str(sizes.submissions))
    keep(folder, "submissions", [json.loads(line) for line in where.run(*command).splitlines()])


def compared(where: Stage, sizes: Sizes, folder: Path) -> None:
    """The whole way, beside a cluster by hand and the upstream plugin; then a log of it, replayed."""
    say(f"{sizes.packs} packs, from the command to the last artifact")
    keep(folder, "runs", [asdict(run) for run in overhead.compare(where, sizes.packs, sizes.pairs)])

    say(f"{sizes.replayed} packs, replayed")
    log = next(where.clone.glob("by-hand/events.log"))
    artifact = next(where.clone.glob("by-hand/results/artifacts/*.tar.gz"))
    keep(folder, "replay", asdict(replay.replay(log, artifact, sizes.replayed, sizes.replay_s)))


def followed(where: Stage, sizes: Sizes, folder: Path) -> None:
    """What following costs while the pool works."""
    say(f"{sizes.followed} packs, followed")
    keep(folder, "following", asdict(following.follow(where, sizes.followed, sizes.follow_s)))


def described(where: Stage, sizes: Sizes, folder: Path) -> None:
    """Features and a fit of one file, by how many slots compute it."""
    say(f"{sizes.described} frames, described and fitted in shards")
    keep(folder, "described", [asdict(run) for run in shards.describe(where, sizes.described, (1, 2, 4))])


def fitted(where: Stage, sizes: Sizes, folder: Path) -> None:
    """A large fit with forces, on the pool and here."""
    say(f"{sizes.fitted} frames with forces, fitted in shards on the pool and here")
    keep(folder, "fitted", asdict(large.fit(where, sizes.fitted)))


PARTS = {part.__name__: part for part in (accepted, compared, described, fitted, followed)}


def keep(folder: Path, name: str, figures: object) -> None:
    (folder / f"{name}.json").write_text(json.dumps(figures, indent=1) + "\n")


def say(words: str) -> None:
    print(f"\n{words}", flush=True)


if __name__ == "__main__":
    main()
