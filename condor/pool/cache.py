"""Share a folder between the pools of a machine, in which one process at a time makes each thing."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


def cache() -> Path:
    """Return the project's folder in the user's cache."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "anisweep"


@contextmanager
def alone(name: str) -> Iterator[None]:
    """Wait until no other process makes the thing of this name, and keep others waiting."""
    locks = cache() / "locks"
    locks.mkdir(parents=True, exist_ok=True)

    with (locks / name).open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
