"""Make the sections of a study's part of the report, one file each: a new file is a new section.

No other file needs to know. A section has the name of the analysis that it shows, and two public names:
``PLACE``, a number by which the sections are ordered, and ``section(study)``, which makes its table. A table
without rows is not shown.

Files that begin with an underscore hold what several sections share, and are no sections.
"""

from __future__ import annotations

from dataclasses import replace
from importlib import import_module
from pathlib import Path

from anisweep.report.model import Measured, Table
from anisweep.report.sections._entries import MOST_ROWS, cut

FOLDER = Path(__file__).parent


def names() -> list[str]:
    """Return the names of all sections, sorted."""
    return sorted(path.stem for path in FOLDER.glob("[!_]*.py"))


def sections_of(study: Measured) -> list[Table]:
    """Return the sections of one study in their order, without those that would be empty."""
    modules = [import_module(f"{__name__}.{name}") for name in names()]
    tables = [module.section(study) for module in sorted(modules, key=lambda module: module.PLACE)]
    return [folded(table) for table in tables if table.rows]


def folded(table: Table) -> Table:
    """Return a table with its first rows, and the words that say of how many."""
    note = " ".join(filter(None, [cut(len(table.rows)), table.note]))
    return replace(table, rows=table.rows[:MOST_ROWS], ids=table.ids[:MOST_ROWS], note=note)
