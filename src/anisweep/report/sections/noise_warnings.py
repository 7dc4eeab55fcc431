"""Show what could have disturbed the measurement."""

from __future__ import annotations

import re
from collections import Counter

from anisweep.formatting import whole
from anisweep.report.model import Measured, Table, Value
from anisweep.report.sections._entries import number

PLACE = 130

NUMBER = re.compile(r"\d+(\.\d+)?")


def section(study: Measured) -> Table:
    """Make a table with a line for each kind of warning."""
    texts = sorted((text for warnings in study.cells["warnings"] for text in warnings), reverse=True)
    kinds = [NUMBER.sub("", text) for text in texts]
    examples = dict(zip(kinds, texts, strict=True))
    rows = [[Value(examples[kind]), number(count, whole)] for kind, count in Counter(kinds).most_common()]

    note = "What could have disturbed the measurement. Warnings that differ in numbers alone are one line."
    return Table("Noise warnings", ["warning", "rows"], rows, note=note)
