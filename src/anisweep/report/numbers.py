"""Numbers as a reader wants them: three digits, and a spread with the decimals of its mean."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

NOTHING = "–"


def plain(value: Any, digits: int = 3) -> str:
    """``321``, ``14.1``, ``0.237``, ``1.2e-14``; a dash for what is not known."""
    if pd.isna(value):
        return NOTHING

    number = float(value)
    if number == 0:
        return "0"

    if not 1e-3 <= abs(number) < 1e6:
        return f"{number:.1e}"
    return f"{number:,.{_decimals(number, digits)}f}"


def whole(value: Any) -> str:
    return NOTHING if pd.isna(value) else f"{int(value):,}"


def milliseconds(seconds: Any) -> str:
    return plain(seconds * 1e3)


def duration(seconds: float) -> str:
    """With its unit: ``60.0 ms``, ``3.21 s``, ``45 µs``."""
    for unit, factor in (("s", 1.0), ("ms", 1e3), ("µs", 1e6)):
        if seconds * factor >= 1:
            return f"{plain(seconds * factor)}\u00a0{unit}"
    return f"{plain(seconds * 1e6)}\u00a0µs"


def speed(ratio: float) -> str:
    """A ratio of times in words: ``4.22× faster``."""
    return f"{plain(1 / ratio)}× faster" if ratio < 1 else f"{plain(ratio)}× slower"


def share(value: Any) -> str:
    return NOTHING if pd.isna(value) else f"{100 * value:.0f} %"


def between(low: Any, high: Any) -> str:
    return NOTHING if pd.isna(low) or pd.isna(high) else f"{plain(low)} to {plain(high)}"


def span(low: Any, high: Any) -> str:
    """An interval where there is little room: ``51.2–56.3``."""
    return "" if pd.isna(low) or pd.isna(high) else f"{plain(low)}–{plain(high)}"


def _decimals(number: float, digits: int) -> int:
    return max(0, digits - 1 - int(np.floor(np.log10(abs(number)))))
