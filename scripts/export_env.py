#!/usr/bin/env python3
"""Print what is known of this machine and its packages, as JSON with the study's keys."""

import importlib.util
import json

from anisweep.artifacts.reading import Host, Installation
from anisweep.parsing.schema import build
from anisweep.tables.cells import Platform
from anisweep.tables.old_tables import env_report
from anisweep.worker import host


def main() -> None:
    if importlib.util.find_spec("torch"):
        import torch  # noqa: F401  (the accelerators are what torch knows)

    installed = {"digest": "", "versions": host.versions(), "accelerators": host.accelerators()}
    platform = Platform.of(build(Host, host.facts()), build(Installation, installed))
    print(json.dumps(env_report([platform]), indent=1))


if __name__ == "__main__":
    main()
