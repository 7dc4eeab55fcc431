"""Show how much the power spectrum changes where it must not, as a folded table of the report."""

from __future__ import annotations

from anisweep.formatting import plain
from anisweep.report.model import Measured, Table, Value
from anisweep.report.sections._entries import artifact_links
from anisweep.tables.names import with_names

PLACE = 60

PREFIX = "invariance_"

NOTE = (
    "The largest change of the power spectrum, relative to its largest value, over replicates: when "
    "positions, cell and orientations are turned together, everything is moved, the particles come in "
    "another order, -q stands for q, everything is mirrored. Turning the orientations alone is the control: "
    "it must be felt."
)


def section(study: Measured) -> Table:
    """Make a table with a line for each system and mode, where a study measures them."""
    cells = study.cells
    columns = [name for name in cells if str(name).startswith(PREFIX)]
    heads = ["system", "mode", *(str(name).removeprefix(PREFIX).replace("_", " ") for name in columns)]
    measured = cells.dropna(subset=columns, how="all") if columns else cells.head(0)

    rows = []
    for (system, series), lines in with_names(measured).groupby(["system", "series"], sort=False):
        values = [Value(plain(lines[name].max()), sort=float(lines[name].max())) for name in columns]
        links = artifact_links(sorted(lines["artifact"].unique()))
        rows.append([Value(str(system)), Value(str(series)), *values, Value("", links=links)])
    return Table("What the power spectrum does not feel", [*heads, "artifacts"], rows, note=NOTE)
