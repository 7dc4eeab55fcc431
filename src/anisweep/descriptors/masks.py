"""Turn what users give into plain arrays, and refuse what these would hide: masks, imaginary parts."""

from __future__ import annotations

from typing import Any

import numpy as np

from anisweep.descriptors.errors import BadInput


def unmasked(values: Any, name: str) -> np.ndarray:
    """Return values as a plain array.

    Raises
    ------
    BadInput
        when any of them is masked: it is no value, and must not be computed with
    """
    masked = (
        np.argwhere(np.ma.getmaskarray(values)) if isinstance(values, np.ma.MaskedArray) else np.empty((0, 0))
    )

    if len(masked):
        place = ", ".join(map(str, masked[0]))
        raise BadInput(f"{name} is masked at [{place}]: leave this out, or give a value and no mask")
    return np.asarray(values)


def real_numbers(name: str, given: Any) -> np.ndarray:
    """Return a contiguous array of float64.

    Raises
    ------
    BadInput
        for what is no array of real numbers, and for masked values
    """
    try:
        plain = unmasked(given, name)
        real = not np.iscomplexobj(plain)  # astype would leave the imaginary parts out without an error
        numbers = plain.astype(float, order="C") if real else None
    except BadInput:
        raise
    except (TypeError, ValueError):
        numbers = None

    if numbers is None:
        raise BadInput(f"{name} must be an array of real numbers, not {given!r:.80}")
    return numbers
