"""``python dies.py N ARGUMENTS``: `anisweep ARGUMENTS`, killed before its N-th step on the disk."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable
from typing import Any

STEPS = ("fsync", "link", "rename", "replace", "unlink")

left = int(sys.argv.pop(1))


def deadly(step: Callable[..., Any]) -> Callable[..., Any]:
    def counted(*arguments: Any, **options: Any) -> Any:
        global left
        left -= 1

        if left == 0:
            os.kill(os.getpid(), signal.SIGKILL)
        return step(*arguments, **options)

    return counted


for name in STEPS:
    setattr(os, name, deadly(getattr(os, name)))

from anisweep.cli import main  # noqa: E402  (after the steps are replaced)

main()
