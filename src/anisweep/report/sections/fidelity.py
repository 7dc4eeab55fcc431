"""Show how far modes are from the reference."""

from __future__ import annotations

from anisweep.formatting import plain
from anisweep.report.model import Measured, Table, Value, point_id
from anisweep.report.sections._entries import identity, number
from anisweep.tables.names import with_names

PLACE = 110


def section(study: Measured) -> Table:
    """Make a table with the worst difference of each series."""
    heads = ["system", "mode", "max |difference| / max |reference|", "allowed", "status"]
    rows = []

    for index, line in with_names(study.summary).iterrows():
        error = number(line["max_relative_error"], plain, href=f"#{point_id(study.name, index)}")
        rows.append([*identity(line), error, number(line["bound"], plain), Value(line["statuses"])])

    return Table(
        "Fidelity", heads, rows, note="The worst of all replicates, against the reference in the same pack."
    )
