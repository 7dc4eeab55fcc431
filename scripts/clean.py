#!/usr/bin/env python3
"""Remove what can be made again (`make clean`): never an artifact, and nothing that a run or a job needs.

The standard library is enough, so that it works where no environment has been made.
"""

from __future__ import annotations

import fcntl
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
LOCK = ROOT / "results" / ".anisweep" / "controller.lock"

DERIVED = ("results/*/tables", "results/*/figures", "results/report.html", "results/claims.csv", "build")
CACHES = (".snakemake", "src/**/__pycache__", "tests/**/__pycache__")

#: Jobs read these, and their artifacts are compared with them.
PACKS = "results/packs"


def main() -> None:
    if a_run_goes_on():
        sys.exit(
            "A run is going on here and needs its files; nothing was removed.\n"
            "Wait for its end (`anisweep plan` says who runs it), then run the same command again."
        )

    owed = submissions_under_way()
    for path in found(*DERIVED, *CACHES, *([] if owed else [PACKS])):
        remove(path)

    print("Artifacts and data stay. anisweep prune lists artifacts that no study asks for.")
    if owed:
        print(f"{PACKS} stays, too: {len(owed)} submissions are under way. `anisweep status` says how far.")


def a_run_goes_on() -> bool:
    """Whether somebody holds the controller's lock, which dies with its holder."""
    try:
        with LOCK.open() as stream:
            fcntl.flock(stream, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except FileNotFoundError:
        return False
    return False


def submissions_under_way() -> list[Path]:
    """The folders of batches whose packs have not all ended."""
    folders = [file.parent for file in ROOT.glob("results/batches/[!.]*/batch.json")]
    return [folder for folder in folders if not (folder / "closed").exists()]


def found(*patterns: str) -> Iterator[Path]:
    for pattern in patterns:
        yield from sorted(ROOT.glob(pattern))


def remove(path: Path) -> None:
    """Remove a file or a folder; another command may do the same just now."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path, ignore_errors=True)
    else:
        path.unlink(missing_ok=True)


if __name__ == "__main__":
    main()
