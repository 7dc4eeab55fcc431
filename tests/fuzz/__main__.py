"""Run the fuzzers, or one input of one of them again."""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from fuzz.campaign import keep, run, seen_of
from fuzz.targets import TARGETS


def main() -> int:
    """The status: 0 when no fault was found."""
    parser = argparse.ArgumentParser(prog="python -m fuzz", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="READER", help=", ".join(TARGETS) + "; all when left out")
    parser.add_argument("--seconds", type=float, default=1200, help="in all (default 1200)")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--number", type=int, help="one input again, with its traceback")
    given = parser.parse_args()
    names = given.names or list(TARGETS)

    if given.number is not None:
        return _again(names[0], given.seed, given.number)
    if len(names) == 1:
        return _tried(names[0], given.seed, given.seconds)
    return _side_by_side(names, given.seed, given.seconds)


def _side_by_side(names: list[str], seed: int, seconds: float) -> int:
    """Each reader in a process of its own, as many at a time as there are processors."""
    at_once = min(len(names), os.cpu_count() or 1)
    each = str(seconds * at_once / len(names))

    def status(name: str) -> int:
        command = [sys.executable, "-m", "fuzz", name, "--seed", str(seed), "--seconds", each]
        return subprocess.run(command, check=False).returncode

    with ThreadPoolExecutor(at_once) as pool:
        return max(pool.map(status, names))


def _again(name: str, seed: int, number: int) -> int:
    target = TARGETS[name]
    given = target.input(seed, number)
    print(repr(given.content[:2000]))

    with tempfile.TemporaryDirectory() as folder:
        seen = seen_of(target, given, Path(folder))
    print(seen or "nothing is wrong")
    return 1 if seen else 0


def _tried(name: str, seed: int, seconds: float) -> int:
    target = TARGETS[name]
    campaign = run(target, seed, seconds)
    print(f"{name}: {campaign.tried:,} inputs, {len(campaign.faults)} faults", flush=True)

    for fault in campaign.faults:
        file = keep(fault, target.input(fault.seed, fault.number))
        print(f"  {file}: {fault.seen.strip().splitlines()[-1][:200]}\n    {fault.again}", flush=True)
    return 1 if campaign.faults else 0


if __name__ == "__main__":
    sys.exit(main())
