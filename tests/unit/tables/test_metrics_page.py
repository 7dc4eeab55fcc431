from __future__ import annotations

from dataclasses import fields
from pathlib import Path

from anisweep.row import Row
from anisweep.tables import SummaryLine, metrics_markdown

PAGE = Path(__file__).parents[3] / "docs" / "reference" / "metrics.md"


def test_the_page_is_generated() -> None:
    assert PAGE.read_text() == metrics_markdown(), "run: make generated"


def test_every_metric_has_a_meaning() -> None:
    for registry in (Row, SummaryLine):
        assert all(metric.metadata["meaning"] for metric in fields(registry))


def test_every_column_is_explained() -> None:
    text = metrics_markdown()
    plain = [
        metric.name for metric in (*fields(Row), *fields(SummaryLine)) if metric.default_factory is not dict
    ]

    assert all(f"| `{name}` |" in text for name in plain)
    assert "| `stage_<name>_s` | one column an entry | s |" in text
