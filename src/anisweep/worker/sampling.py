"""Sample the stacks inside a call, with the time of each.

A timer interrupts the program every two milliseconds, and the stack it meets gets the time since the last
look. Unlike cProfile this costs nothing per call, so it does not make many short calls look slow. Python
handles the interrupt when C code returns: the time of a long C call belongs to the function that called it.
"""

from __future__ import annotations

import signal
import sys
import time
from collections import defaultdict
from types import CodeType, FrameType, TracebackType

INTERVAL_S = 0.002

Stack = tuple[tuple[str, CodeType], ...]


class Sampler:
    """Sample the stacks of a ``with`` block, below the function that holds it; in the main thread only.

    Attributes
    ----------
    seconds : time by stack, outermost function first
    """

    def __init__(self) -> None:
        self.seconds: dict[Stack, float] = defaultdict(float)
        self._root: FrameType | None = None
        self._last = 0.0

    def __enter__(self) -> Sampler:
        self._root = sys._getframe(1)
        self._before = signal.signal(signal.SIGALRM, self._look)
        signal.siginterrupt(signal.SIGALRM, False)
        self._last = time.perf_counter()
        signal.setitimer(signal.ITIMER_REAL, INTERVAL_S, INTERVAL_S)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        signal.setitimer(signal.ITIMER_REAL, 0.0)
        signal.signal(signal.SIGALRM, self._before)
        self._root = None

    def _look(self, number: int, frame: FrameType | None) -> None:
        """Charge the time since the last look to the current stack."""
        since = time.perf_counter() - self._last
        stack: list[tuple[str, CodeType]] = []

        while frame is not None and frame is not self._root:
            stack.append((frame.f_globals.get("__name__", ""), frame.f_code))
            frame = frame.f_back
        if any(module == __name__ for module, _ in stack):
            return  # on a busy machine a look outlasts the interval, or the block ends before it

        self.seconds[tuple(reversed(stack))] += since
        self._last = time.perf_counter()

    def folded(self) -> str:
        """Return ``outer;inner;innermost 1234`` for each stack, in microseconds: for flame graphs."""
        lines = (
            f"{';'.join(f'{module}:{code.co_qualname}' for module, code in stack)} {round(1e6 * seconds)}\n"
            for stack, seconds in self.seconds.items()
            if stack
        )
        return "".join(sorted(lines))
