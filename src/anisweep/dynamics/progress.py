"""Show how far a run of dynamics is."""

from __future__ import annotations

import sys
import time

from anisweep.formatting import counted, duration, plain

#: Seconds between two lines on a terminal, and elsewhere.
EVERY = (0.5, 10.0)


class StepProgress:
    """Show a line with steps, speed and time left on standard error, one that changes on a terminal."""

    def __init__(self, steps: int, wanted: bool) -> None:
        self.steps = steps
        self.wanted = wanted
        self.started = self.last = time.monotonic()

    def show(self, done: int) -> None:
        """Show a line if it is time for one."""
        if not self.wanted:
            return

        now, terminal = time.monotonic(), sys.stderr.isatty()
        if done == self.steps or now - self.last > EVERY[not terminal]:
            self.last = now
            speed = done / max(now - self.started, 1e-9)
            left = duration((self.steps - done) / speed)
            line = f"{done:,} of {counted(self.steps, 'step')}, {plain(speed)} a second, {left} left"
            end = "\n" if done == self.steps or not terminal else ""
            print(f"\r{line:<60}" if terminal else line, end=end, file=sys.stderr, flush=True)
