"""Warn if a run was disturbed too much to trust small differences."""

from __future__ import annotations

import pandas as pd

from anisweep.formatting import counted

#: What a warning about noise begins with, and the word for it.
KINDS = {
    "load average": "load",
    "repetitions spread": "spread",
    "the processor was throttled": "heat",
    "the governor": "governor",
}

#: Above this share of rows with warnings the answer carries the line.
MANY = 1 / 3


def disturbance(cells: pd.DataFrame) -> str:
    """Return one line, or nothing when at most a third of the rows carry a warning about noise."""
    kinds = [_kinds(list(warnings)) for warnings in cells["warnings"]]
    disturbed = sum(1 for found in kinds if found)

    if not disturbed or disturbed <= MANY * len(kinds):
        return ""

    known = set().union(*kinds)
    named = ", ".join(kind for kind in KINDS.values() if kind in known)
    who = "Other programs" if "load" in known else "Something"
    where = "an idle machine" if "load" in known else "a quiet machine"
    return (
        f"{who} disturbed this run: {disturbed:,} of {counted(len(kinds), 'row')} carry warnings ({named}). "
        f"Repeat it on {where} before trusting small differences."
    )


def _kinds(warnings: list[str]) -> set[str]:
    return {kind for text in warnings for start, kind in KINDS.items() if text.startswith(start)}
