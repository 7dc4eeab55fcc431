"""Runs every benchmark of this folder: ``python -m benchmarks [--smoke] [NAME ...]``."""

from __future__ import annotations

import argparse
import importlib
from pathlib import Path

FOLDER = Path(__file__).parent


def main() -> None:
    names = sorted(path.stem for path in FOLDER.glob("[!_]*.py"))
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description="Figures, never judged.")
    parser.add_argument("--smoke", action="store_true", help="tiny sizes: only whether they run")
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"all when left out: {', '.join(names)}")
    arguments = parser.parse_args()

    for name in arguments.names or names:
        if name not in names:
            parser.error(f"there is no benchmark {name!r}. Allowed: {', '.join(names)}.")

        print(f"\n{name}", flush=True)
        importlib.import_module(f"benchmarks.{name}").run(smoke=arguments.smoke)


if __name__ == "__main__":
    main()
