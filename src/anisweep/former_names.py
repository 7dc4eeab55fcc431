"""Names of the former version, which this one still reads: files, columns and values by their new names."""

from __future__ import annotations

import sys
from functools import cache

#: Tables, by their new names.
TABLES = {"job_records": "journeys", "old_rows": "ingested"}

#: Columns, and values of columns.
COLUMNS = {"anchor": "reference"}
ENDS = {"home": "completed", "given up": "failed permanently"}
ROLES = {"first anchor": "first reference", "last anchor": "last reference"}
VALUES = {"end": ENDS, "role": ROLES}

#: Keys of studies.
KEYS = {"anchor": "reference"}


@cache
def warn(place: str, former: str, name: str, remedy: str) -> None:
    """Say once that something is called otherwise now, and what to do."""
    print(
        f"{place}: {former} is called {name} now; the old name is read for one version more. {remedy}",
        file=sys.stderr,
    )
