"""Read the figures that pages show: those of one run of all benchmarks."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

KEPT = Path("docs/benchmarks.json")

PARTS = ("compared", "growth", "stages", "limits", "memory", "cold_start", "training", "dynamics")

#: What a fast package does with the easier problem.
SOAP = "featomic, isotropic"


@dataclass(frozen=True)
class Kept:
    """All figures of one run: for each part the machine and what was measured."""

    parts: dict[str, Any]

    @classmethod
    def read(cls, root: Path) -> Kept:
        return cls(json.loads((root / KEPT).read_text(encoding="utf-8")))

    def rows(self, part: str, **wanted: Any) -> list[dict[str, Any]]:
        """Measurements with the wanted values, in the order of the run."""
        rows = self.parts[part]["measured"]
        return [row for row in rows if all(row[name] == value for name, value in wanted.items())]

    def one(self, part: str, **wanted: Any) -> dict[str, Any]:
        (row,) = self.rows(part, **wanted)
        return row
