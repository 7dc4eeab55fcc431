"""Tell texts that are numbers from others."""

from __future__ import annotations


def is_number(text: str) -> bool:
    """Return True if Python reads a text as a float, infinities and NaN among them."""
    try:
        float(text)
    except ValueError:
        return False
    return True
