"""Make the sections of a study's part of the report, one file each: a new file is a new section.

No other file needs to know. A section has the name of the analysis that it shows, and two public names:
``PLACE``, a number by which the sections are ordered, and ``section(study)``, which makes its table. A table
without rows is not shown.

Files that begin with an underscore hold what several sections share, and are no sections.
"""

from __future__ import annotations

from importlib import import_module
from pathlib import Path

from anisweep.report.model import Measured, Table

FOLDER = Path(__file__).parent


def names() -> list[str]:
    """Return the names of all sections, sorted."""
    return sorted(path.stem for path in FOLDER.glob("[!_]*.py"))


def sections_of(study: Measured) -> list[Table]:
    """Return the sections of one study in their order, without those that would be empty."""
    modules = [import_module(f"{__name__}.{name}") for name in names()]
    tables = [module.section(study) for module in sorted(modules, key=lambda module: module.PLACE)]
    return [table for table in tables if table.rows]
