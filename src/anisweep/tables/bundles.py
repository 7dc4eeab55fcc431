"""Record what was checked of bundles when they came in or went out, for the claims about them."""

from __future__ import annotations

from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Literal

import pandas as pd

from anisweep.files import write_text

Kind = Literal["ours", "old"]


@dataclass(frozen=True)
class Taken:
    """Describe one bundle.

    Attributes
    ----------
    kind : ``ours`` holds artifacts: checked are the tables beside them, and passed those that the artifacts
        give again, byte for byte. Of an ``old`` one the rows are checked, and passed those in our table that
        say what is unproven about them.
    """

    bundle: str
    sha256: str
    kind: Kind
    checked: int
    passed: int


def read_bundles(folder: Path) -> pd.DataFrame:
    """Read ``bundles.csv``; without lines where there was no bundle."""
    file = folder / "bundles.csv"
    return pd.read_csv(file) if file.exists() else pd.DataFrame(columns=[f.name for f in fields(Taken)])


def note_bundle(folder: Path, taken: Taken) -> None:
    """Add a bundle to ``bundles.csv``; one that was taken twice has one line."""
    before = read_bundles(folder)
    others = before[before["sha256"] != taken.sha256]
    lines = [*others.to_dict("records"), asdict(taken)]
    write_text(folder / "bundles.csv", pd.DataFrame(lines).to_csv(index=False))
