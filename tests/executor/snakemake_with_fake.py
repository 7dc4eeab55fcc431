"""A program: Snakemake in this folder, with a queue that lies in memory and works at once.

With EXECUTES in the environment its jobs run their scripts.
"""

from __future__ import annotations

import os
import sys

from fakes import FakeSchedd
from snakemake.cli import main

from snakemake_executor_plugin_condorsweep import schedd


def submit(description: str) -> int:
    cluster = fake.submit(description)
    fake.work()
    return cluster


fake = FakeSchedd(executes="EXECUTES" in os.environ)
schedd.why_unusable = lambda: ""
schedd.submit = submit
schedd.in_queue = fake.in_queue  # type: ignore[assignment]
schedd.remove = fake.remove  # type: ignore[assignment]
main(["--executor", "condorsweep", "--jobs", "unlimited", "--nolock", "--keep-going", *sys.argv[1:]])
