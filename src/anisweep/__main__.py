"""Start `anisweep` and `python -m anisweep`; jobs use the latter, since their code is not installed.

Keep this module, and ``anisweep/__init__.py``, free of imports that take time: an interrupt while the rest
is still being imported ends the command in silence.
"""

from __future__ import annotations

import os
import signal

#: What shells report of a command that Ctrl-C has ended; `anisweep.cli.decorators` has it for the time after.
INTERRUPTED = 130


def main() -> None:
    """Run the command line."""
    before = signal.getsignal(signal.SIGINT)
    if before is not signal.SIG_IGN:
        signal.signal(signal.SIGINT, lambda *_: os._exit(INTERRUPTED))

    from anisweep.cli import main as command

    signal.signal(signal.SIGINT, before)
    command(prog_name="anisweep")


if __name__ == "__main__":
    main()
