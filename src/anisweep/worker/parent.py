"""End an interpreter when the process that waits for it ends."""

from __future__ import annotations

import os
import threading


def die_with_it() -> None:
    """End this interpreter when its standard input, a pipe from the parent, closes."""

    def wait() -> None:
        os.read(0, 1)  # sys.stdin would hold a lock that the end of the interpreter needs
        os._exit(1)

    threading.Thread(target=wait, daemon=True).start()
