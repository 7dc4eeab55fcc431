"""The numbers of the table of hotspots, followed to their artifacts and recomputed from their profiles."""

from __future__ import annotations

import json
import statistics
from pathlib import Path

import profiled_study
import synthetic
from anisweep import tables
from anisweep.report.sections.hotspots import section
from anisweep.tables import Profile


def shares(profile: Profile, function: str) -> tuple[float, float, float, float]:
    """Calls, own seconds, their share, and their share with the import."""
    known = json.loads(profile.calls)
    total = sum(own for *_, own, _, _ in known)
    calls, own = next((count, own) for _, _, name, _, count, own, _, _ in known if name == function)
    return calls, own, own / total, own / (total + (profile.import_s or 0.0))


def test_numbers_are_those_of_the_artifacts(tmp_path: Path) -> None:
    profiles = profiled_study.profiles()
    tables.write_profiles(profiles, tmp_path / "tables", tmp_path / "profiles")
    table = section(synthetic.measured(hotspots=tables.read(tmp_path / "tables", "hotspots")))
    shown = [dict(zip(table.heads, row, strict=True)) for row in table.rows]

    for mode in profiled_study.MODES:
        (line,) = (
            each
            for each in shown
            if (each["mode"].text, each["function"].text) == (mode, "profiled_study:inner")
        )
        names = [link.title for link in line["artifacts"].links]
        behind = [each for each in profiles if each.row.mode == mode and each.row.pack in names]
        assert len(behind) == 2

        expected = [
            statistics.mean(column) for column in zip(*(shares(p, "inner") for p in behind), strict=True)
        ]
        heads = ["calls", "self / ms", "self", "self, imports in"]
        for head, value in zip(heads, expected, strict=True):
            assert abs((line[head].sort or 0.0) - value) <= 1e-12 * value, head


def test_every_line_has_its_origin(tmp_path: Path) -> None:
    tables.write_profiles(profiled_study.profiles(), tmp_path / "tables", tmp_path / "profiles")
    table = section(synthetic.measured(hotspots=tables.read(tmp_path / "tables", "hotspots")))
    assert all(row[-1].links for row in table.rows)
