"""Keep what the index holds behind the digest of its bytes, so that it is believed only as it was written."""

from __future__ import annotations

import hashlib
from dataclasses import fields
from typing import Any

#: A SHA-256 in hexadecimal digits. What follows it stays aligned, which Arrow wants.
DIGITS = 64


def sealed(content: bytes) -> bytes:
    """Return bytes behind their SHA-256."""
    return hashlib.sha256(content).hexdigest().encode() + content


def unsealed(content: bytes) -> memoryview:
    """Return the bytes that `sealed` was given.

    Raises
    ------
    ValueError
        when they are not as they were written
    """
    inside = memoryview(content)[DIGITS:]
    if hashlib.sha256(inside).hexdigest().encode() != content[:DIGITS]:
        raise ValueError("these are not the bytes that were written")
    return inside


def fields_of(known: Any) -> dict[str, Any]:
    """Return the fields of a data class for JSON, those inside as they are: ``asdict`` copies them."""
    return {each.name: getattr(known, each.name) for each in fields(known)}
