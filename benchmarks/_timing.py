"""Time several ways to compute the same, in turns, and compare them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from math import ceil
from statistics import median
from time import perf_counter
from typing import Any

#: A turn calls a function until this is over, so that clocks and interruptions matter little.
TURN_S = 0.05


@dataclass(frozen=True)
class Spread:
    """A median and the quartiles around it; of three turns or fewer, the lowest and the highest."""

    median: float
    low: float
    high: float

    @classmethod
    def of(cls, values: list[float]) -> Spread:
        ordered = sorted(values)
        quarter = len(ordered) // 4
        return cls(median(ordered), ordered[quarter], ordered[-1 - quarter])


#: Turns of a function whose call takes less than so many seconds. What takes longer has its first call alone.
TURNS = ((0.5, 7), (5.0, 3))


def take_turns(functions: Mapping[str, Callable[[], Any]]) -> dict[str, list[float]]:
    """Seconds of each call of each function, one number a turn. A slow moment hits all functions.

    The first call of each tells how many calls make a turn, and how many turns there are. It does not count,
    unless there are none.
    """
    first = {name: seconds(function, 1) for name, function in functions.items()}
    calls = {name: ceil(TURN_S / max(taken, 1e-7)) for name, taken in first.items()}
    turns = {name: next((n for limit, n in TURNS if taken < limit), 0) for name, taken in first.items()}
    times: dict[str, list[float]] = {name: [] if turns[name] else [taken] for name, taken in first.items()}

    for turn in range(max(turns.values())):
        for name, function in functions.items():
            if turn < turns[name]:
                times[name].append(seconds(function, calls[name]))
    return times


def seconds(function: Callable[[], Any], calls: int) -> float:
    """Return the seconds of one call, the mean of some."""
    start = perf_counter()
    for _ in range(calls):
        function()
    return (perf_counter() - start) / calls


def ratios(numerator: list[float], denominator: list[float]) -> Spread:
    """Turn by turn; where one has had fewer turns, of each of its turns over the median of the other's."""
    if len(numerator) != len(denominator):
        denominator = [median(denominator)] * len(numerator)
    return Spread.of([above / below for above, below in zip(numerator, denominator, strict=True)])
