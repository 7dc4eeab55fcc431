"""Measure the time of each stage inside a call, with a clock that is passed to the mode.

A timed repetition is handed :class:`Silent`, which costs nothing. One more call per cell is handed
:class:`Clock`, and its stages explain the wall time.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from time import perf_counter
from typing import ParamSpec, TypeVar

P = ParamSpec("P")
R = TypeVar("R")


class Clock:
    """Measure the exclusive wall time and the number of entries of each stage.

    A stage that runs inside another one takes its time from it, so the stages of a call add up to the
    wall time that they cover together, and none is counted twice.

    Attributes
    ----------
    seconds : wall time of each stage, without the stages inside it
    counts : how often each stage was entered
    """

    def __init__(self) -> None:
        self.seconds: dict[str, float] = defaultdict(float)
        self.counts: Counter[str] = Counter()
        self._open: list[str] = []
        self._since = 0.0

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """Charge what happens inside to ``name``."""
        self._enter(name)
        try:
            yield
        finally:
            self._leave()

    def wrap(self, name: str, function: Callable[P, R]) -> Callable[P, R]:
        """Return a function that charges every call of the given one to ``name``."""

        def timed(*args: P.args, **kwargs: P.kwargs) -> R:
            self._enter(name)
            try:
                return function(*args, **kwargs)
            finally:
                self._leave()

        return timed

    def _enter(self, name: str) -> None:
        self._charge()
        self._open.append(name)
        self.counts[name] += 1

    def _leave(self) -> None:
        self._charge()
        self._open.pop()

    def _charge(self) -> None:
        """Give the time since the last change to the innermost stage."""
        now = perf_counter()
        if self._open:
            self.seconds[self._open[-1]] += now - self._since

        self._since = now


class Silent:
    """Stand in for the clock in a timed repetition: it records nothing and leaves functions as they are."""

    _nothing = nullcontext()

    def stage(self, name: str) -> AbstractContextManager[None]:
        """Return a block that records nothing."""
        return self._nothing

    def wrap(self, name: str, function: Callable[P, R]) -> Callable[P, R]:
        """Return the function as it is."""
        return function
