"""An interpreter that somebody waits for, and that must not outlive it."""

from __future__ import annotations

import os
import threading


def die_with_it() -> None:
    """Standard input is a pipe from the parent: when it closes, nobody waits for a result."""

    def wait() -> None:
        os.read(0, 1)  # sys.stdin would hold a lock that the end of the interpreter needs
        os._exit(1)

    threading.Thread(target=wait, daemon=True).start()
