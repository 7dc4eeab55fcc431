"""Run every benchmark of this folder: ``python -m benchmarks [--smoke] [NAME ...]``."""

from __future__ import annotations

import argparse
import importlib
import os
from pathlib import Path

# Before anything that has threads is imported.
os.environ.update(dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "RAYON_NUM_THREADS"), "1"))

FOLDER = Path(__file__).parent

#: Takes far longer than all others together, so it runs in full size only where it is named.
LONGEST = "scale"


def main() -> None:
    names = sorted(path.stem for path in FOLDER.glob("[!_]*.py"))
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description="Figures, never judged.")
    parser.add_argument("--smoke", action="store_true", help="tiny sizes: only whether they run")
    parser.add_argument(
        "names", nargs="*", metavar="NAME", help=f"all but {LONGEST} when left out: {', '.join(names)}"
    )
    arguments = parser.parse_args()

    if hasattr(os, "sched_setaffinity") and not arguments.smoke:
        os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})

    every = [name for name in names if arguments.smoke or name != LONGEST]
    for name in arguments.names or every:
        if name not in names:
            parser.error(f"there is no benchmark {name!r}. Allowed: {', '.join(names)}.")

        print(f"\n{name}", flush=True)
        importlib.import_module(f"benchmarks.{name}").run(smoke=arguments.smoke)

    if not (arguments.smoke or arguments.names):
        importlib.import_module("benchmarks._page").write(Path())


if __name__ == "__main__":
    main()
