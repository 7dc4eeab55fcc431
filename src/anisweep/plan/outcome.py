"""Report the cells that a run leaves without a measurement, so that no failure passes for a success."""

from __future__ import annotations

import json
import os
import shlex
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from anisweep.artifacts.store import Store, unfinished
from anisweep.cell import Cell
from anisweep.config.load import read_yaml
from anisweep.config.project import Project
from anisweep.formatting import counted
from anisweep.plan.state import newest_of

#: Cells that are named; of the others there is the number.
SHOWN = 5


@dataclass(frozen=True)
class Unmeasured:
    """Hold a cell that was wanted and has no measurement.

    Attributes
    ----------
    status : failed, stalled, or missing where no artifact holds it
    reason : what its row says
    """

    cell: Cell
    status: str
    reason: str = ""


def unmeasured(project: Project, cells: dict[str, Cell]) -> list[Unmeasured]:
    """Return the cells that have no measurement now, as their rows say it."""
    store = Store(project.artifacts, project.state)
    held = newest_of(store.entries(), cells)
    missing = [Unmeasured(cell, "missing") for key, cell in cells.items() if key not in held]

    found = {}
    for name in {entry.name for key, entry in held.items() if key in entry.unfinished}:
        for row in store.rows(name):
            if unfinished(row) and row.key in cells and held[row.key].name == name:
                found[row.key] = Unmeasured(cells[row.key], row.status, row.reason)
    return [*(found[key] for key in cells if key in found), *missing]


def in_words(left: Sequence[Unmeasured], cells: int, again: str) -> str:
    """Name some of the cells with their reasons, then how many there are, and what tries again.

    Parameters
    ----------
    cells : how many were wanted
    again : the command that measures them
    """
    counts = Counter(each.status for each in left)
    kinds = ", ".join(f"{count} {status}" for status, count in sorted(counts.items()))
    have = "has" if len(left) == 1 else "have"

    lines = [f"  {each.status}: {each.cell.label}{_because(each)}" for each in left[:SHOWN]]
    if len(left) > SHOWN:
        lines.append(f"  ... and {len(left) - SHOWN} more")
    lines.append(
        f"{len(left)} of {counted(cells, 'cell')} {have} no measurement ({kinds}). To try again: {again}"
    )
    return "\n".join(lines)


def command_of(project: Project, profile: str, overrides: Mapping[str, Any], target: str = "") -> str:
    """Return the command that starts a run of these values, or inside a controller's job such a job.

    Parameters
    ----------
    profile : local or chtc
    overrides : every value that is not the one of config/config.yaml is named
    """
    words = words_of(project, profile, overrides)

    if "_CONDOR_JOB_AD" in os.environ and not target:
        return shlex.join(["anisweep", "submit", "--controller", *words])
    config = ["--config", *words] if words else []
    return shlex.join(["snakemake", "--profile", profile, *config, *(["--", target] if target else [])])


def words_of(project: Project, profile: str, overrides: Mapping[str, Any]) -> list[str]:
    """Return KEY=VALUE for every value that is not the one of config/config.yaml."""
    usual = {**read_yaml(project.root / "config" / "config.yaml"), "site": profile}
    changed = {key: value for key, value in overrides.items() if usual.get(key) != value}
    return [f"{key}={_yaml(value)}" for key, value in changed.items()]


def _yaml(value: Any) -> str:
    return str(value) if isinstance(value, str | bool) else json.dumps(value)


def _because(each: Unmeasured) -> str:
    """Return the first line of the reason."""
    return f": {each.reason.splitlines()[0]}" if each.reason.strip() else ""
