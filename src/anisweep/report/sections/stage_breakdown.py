"""Show where the time of a call goes."""

from __future__ import annotations

from anisweep.formatting import milliseconds, share
from anisweep.report.model import Measured, Table, point_id
from anisweep.report.sections._entries import identity, number
from anisweep.tables.names import stage_in_words, with_names

PLACE = 100


def section(study: Measured) -> Table:
    """Make a table with a line for each series that was traced."""
    named = with_names(study.summary)
    stages = [name for name in named.columns if name.startswith("stage_")]
    heads = ["system", "mode", *(stage_in_words(name) for name in stages), "unaccounted", "traced / ms"]
    traced = named[named["traced_wall_s"].notna()]
    rows = []

    for index, line in traced.iterrows():
        parts = [*stages, "unaccounted_s"]
        shares = [number(line[name] / line["traced_wall_s"], share) for name in parts]
        total = number(line["traced_wall_s"], milliseconds, href=f"#{point_id(study.name, index)}")
        rows.append([*identity(line), *shares, total])

    note = "Share of the wall time of one traced call; medians. Unaccounted is what no stage claims."
    return Table("Where the time goes", heads, rows, note=note)
