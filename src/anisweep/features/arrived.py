"""Check that a file of a shard is whole, and the one that is meant."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path

from anisweep.describe.format_npz import UNREADABLE, read_array


def check_shard(path: Path, key: str) -> None:
    """Refuse a file of a shard that is damaged or another one; every byte of it is read.

    Raises
    ------
    ValueError
        Saying what it is instead.
    """
    try:
        with zipfile.ZipFile(path) as zipped:
            damaged = zipped.testzip()
            found = json.loads(str(read_array(zipped, "provenance")))["piece"]["key"]
    except UNREADABLE as error:
        raise ValueError(f"{path.name}: cannot be read ({error})") from error

    if damaged or found != key:
        came = f"{damaged} in it is damaged" if damaged else f"holds the shard {found}"
        raise ValueError(f"{path.name}: {came}. Allowed: the whole shard {key}")
