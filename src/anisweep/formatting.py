"""Format numbers for readers: three digits, units, and a dash for an unknown value."""

from __future__ import annotations

import math
from numbers import Real
from typing import Any

NOTHING = "–"


def counted(number: int, one: str, several: str = "") -> str:
    """Return a number with what it counts: ``1 pack``, ``2 packs``, ``3,491 pairs``.

    Parameters
    ----------
    one : what is counted, in the singular
    several : its plural, where that is not the singular with an s
    """
    return f"{number:,} {one if number == 1 else several or f'{one}s'}"


def plain(value: Any, digits: int = 3) -> str:
    """Return a number with three digits (``321``, ``0.237``, ``1.2e-14``), or a dash for an unknown one."""
    if _unknown(value):
        return NOTHING

    number = float(value)
    if number == 0:
        return "0"

    if not 1e-3 <= abs(number) < 1e6:
        return f"{number:.1e}"
    return f"{number:,.{_decimals(number, digits)}f}"


def whole(value: Any) -> str:
    """Return a whole number with commas between the thousands, or a dash for an unknown one."""
    return NOTHING if _unknown(value) else f"{int(value):,}"


def milliseconds(seconds: Any) -> str:
    """Return seconds as a number of milliseconds."""
    return plain(seconds * 1e3)


def time_with_unit(seconds: float) -> str:
    """Return a time with its unit: ``60.0 ms``, ``3.21 s``, ``45 µs``."""
    for unit, factor in (("s", 1.0), ("ms", 1e3), ("µs", 1e6)):
        if seconds * factor >= 1:
            return f"{plain(seconds * factor)}\u00a0{unit}"
    return f"{plain(seconds * 1e6)}\u00a0µs"


def speed(ratio: float) -> str:
    """Return a ratio of times in words: ``4.22× faster``."""
    return f"{plain(1 / ratio)}× faster" if ratio < 1 else f"{plain(ratio)}× slower"


def share(value: Any) -> str:
    """Return a fraction in per cent, or a dash for an unknown one."""
    return NOTHING if _unknown(value) else f"{100 * value:.0f} %"


def between(low: Any, high: Any) -> str:
    """Return an interval in words: ``51.2 to 56.3``."""
    return NOTHING if _unknown(low) or _unknown(high) else f"{plain(low)} to {plain(high)}"


def span(low: Any, high: Any) -> str:
    """Return an interval for a narrow place: ``51.2–56.3``."""
    return "" if _unknown(low) or _unknown(high) else f"{plain(low)}–{plain(high)}"


def _decimals(number: float, digits: int) -> int:
    return max(0, digits - 1 - math.floor(math.log10(abs(number))))


def duration(seconds: float) -> str:
    """Return a duration in seconds below two minutes, else in minutes or hours."""
    if seconds < 120:
        return f"{seconds:.0f} s"
    if seconds < 7200:
        return f"{seconds / 60:.1f} min"
    return f"{seconds / 3600:.1f} h"


def _unknown(value: Any) -> bool:
    """Return True if a value is missing or NaN."""
    return not isinstance(value, Real) or math.isnan(value)
