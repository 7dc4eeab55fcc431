"""``python dies.py FUNCTION WHEN ARGUMENTS``: `snakemake ARGUMENTS`, killed with -9 at a call of a function.

FUNCTION is ``package.module:name`` or ``package.module:Class.name``. WHEN is ``before 2`` (just before its
second call) or ``after 1``.
"""

from __future__ import annotations

import os
import signal
import sys
from importlib import import_module
from itertools import count
from typing import Any

from snakemake.cli import main

where, _, name = sys.argv[1].partition(":")
moment, _, number = sys.argv[2].partition(" ")
owner: Any = import_module(where)
*inside, last = name.split(".")
for each in inside:
    owner = getattr(owner, each)

function = getattr(owner, last)
calls = count(1)


def deadly(*arguments: Any, **options: Any) -> Any:
    fatal = next(calls) == int(number)
    if fatal and moment == "before":
        os.kill(os.getpid(), signal.SIGKILL)

    returned = function(*arguments, **options)
    if fatal:
        os.kill(os.getpid(), signal.SIGKILL)
    return returned


setattr(owner, last, deadly)
sys.argv = ["snakemake", *sys.argv[3:]]
main()
