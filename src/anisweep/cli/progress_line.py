"""Show on standard error how far a command is."""

from __future__ import annotations

import sys
import time

import click

#: Seconds between two lines of progress where standard error is no terminal.
EVERY = 10.0


class ProgressLine:
    """Show one line that changes, or now and then a line where standard error is no terminal."""

    def __init__(self) -> None:
        self.started = self.last = time.monotonic()

    @property
    def seconds(self) -> float:
        """Return the time since the beginning."""
        return time.monotonic() - self.started

    def show(self, line: str, finished: bool) -> None:
        """Show a line, the last one if the work is finished."""
        now = time.monotonic()
        terminal = sys.stderr.isatty()

        if terminal or finished or now - self.last > EVERY:
            self.last = now
            click.echo(f"\r{line:<60}" if terminal else line, err=True, nl=finished or not terminal)
