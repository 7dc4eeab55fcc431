"""Show all times and ratios of a study."""

from __future__ import annotations

from anisweep.formatting import between, milliseconds, plain, whole
from anisweep.report.model import Measured, Table, Value, point_id, short
from anisweep.report.sections._entries import artifact_links, identity, number
from anisweep.tables.names import with_names

PLACE = 90


def section(study: Measured) -> Table:
    """Make a table with a line for each line of the summary, to which other numbers link."""
    heads = ["system", "mode", "replicates", "mean / ms", "std / ms", "median / ms", "95 % interval / ms"]
    heads += ["time / reference", "95 % interval", "verdict", "detectable", "status"]
    heads += ["peak memory / MB", "host", "code", "environment", "artifacts"]
    rows, ids = [], []

    for index, line in with_names(study.summary).iterrows():
        ids.append(point_id(study.name, index))
        rows.append(
            [
                *identity(line),
                number(line["replicates"], whole),
                number(line["wall_mean_s"], milliseconds),
                number(line["wall_std_s"], milliseconds),
                number(line["wall_median_s"], milliseconds),
                Value(between(1e3 * line["wall_low_s"], 1e3 * line["wall_high_s"])),
                number(line["ratio"], plain),
                Value(between(line["ratio_low"], line["ratio_high"])),
                Value(line["verdict"]),
                number(line["ratio_detectable"], plain),
                Value(line["statuses"]),
                number(line["peak_memory_mb"], plain),
                Value(line["hosts"]),
                Value(short(line["code"]), title=line["code"]),
                Value(short(line["environment"]), title=line["environment"]),
                Value("", links=artifact_links(line["artifacts"].split())),
            ]
        )

    note = "“Detectable” is the smallest ratio above 1 that these data would have shown in 4 of 5 studies."
    return Table("All times and ratios", heads, rows, ids, note)
