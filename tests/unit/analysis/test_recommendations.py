"""What is recommended is right, fast, and worth its start."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pandas as pd
import pytest

import synthetic
from anisweep import tables
from anisweep.analysis.recommendations import Recommendation, recommendations
from anisweep.cell import NOT_PINNED
from anisweep.report.sections.recommendations import section
from anisweep.row import Row
from anisweep.tables.summary import PROBLEM


def of(rows: Sequence[Row]) -> list[Recommendation]:
    return recommendations(*_tables(rows))


def _tables(rows: Sequence[Row]) -> tuple[pd.DataFrame, pd.DataFrame]:
    cells = tables.cells_table(list(rows), synthetic.sources(list(rows)))
    return cells, tables.summary_table(cells)


def benzenes(**changes: dict[str, object]) -> list[Row]:
    """Rows of one problem: numpy_only and torch_mixed, each as ``changes`` says."""
    rows = [row for row in synthetic.first_look(noise=0.01) if row.dataset == "benzenes"]
    kept = [row for row in rows if row.mode in ("numpy_only", "torch_mixed") and row.output == "coefficients"]
    return [replace(row, **changes.get(row.mode, {})) for row in kept]


def test_the_fastest_right_way_of_each_problem() -> None:
    rows = synthetic.first_look(noise=0.01)
    cells, summary = _tables(rows)
    found = recommendations(cells, summary)

    expected = []
    for _, lines in summary.groupby(PROBLEM):
        right = lines[lines["statuses"].str.endswith(" ok") & ~lines["statuses"].str.contains(",")]
        expected.append(right["wall_mean_s"].min())
    assert sorted(each.seconds for each in found) == sorted(expected)


def test_what_is_wrong_is_not_taken() -> None:
    fast = {"wall_s": 1e-4, "traced_wall_s": 1e-4}
    (taken,) = of(benzenes(torch_mixed=fast))
    assert taken.series == "torch_mixed"

    assert of(benzenes(torch_mixed=fast | {"status": "wrong"})) == []


def test_what_no_bound_holds_is_not_taken() -> None:
    """bf16 is off by 0.4 %: reported, neither right nor wrong."""
    fast = {"wall_s": 1e-4, "traced_wall_s": 1e-4, "precision": "bf16"}
    third = [
        replace(row, **fast, bound=None, max_relative_error=0.004, key=f"{row.key}b")
        for row in benzenes()
        if row.mode == "torch_mixed" and row.role == "cell"
    ]
    (taken,) = of(benzenes() + third)

    assert "bf16" not in " ".join([taken.series, *taken.as_fast])


def test_what_is_not_pinned_is_not_recommended() -> None:
    rows = benzenes()
    free = [replace(r, threads=NOT_PINNED, wall_s=(r.wall_s or 0.0) / 9, pack=f"free-{r.pack}") for r in rows]
    (taken,) = of([*rows, *free])

    assert "not pinned" not in taken.series
    assert not any("not pinned" in series for series in taken.as_fast)


def test_what_cannot_be_told_apart_is_named() -> None:
    (taken,) = of(benzenes(torch_mixed={"wall_s": 2.0}, numpy_only={"wall_s": 2.0}))

    assert {taken.series, *taken.as_fast} == {"numpy_only", "torch_mixed"}


@pytest.mark.parametrize(
    ("prepare_s", "first_call_s", "calls"), [(0.1, 1.0, 1), (3.6, 1.0, 4), (0.1, 4.5, 4)]
)
def test_start_is_earned_back(prepare_s: float, first_call_s: float, calls: int) -> None:
    """Each computation gains one second."""
    slow = {"wall_s": 2.0, "first_call_s": 2.0, "prepare_s": 0.1}
    fast = {"wall_s": 1.0, "first_call_s": first_call_s, "prepare_s": prepare_s}
    (taken,) = of(benzenes(numpy_only=slow, torch_mixed=fast))

    assert taken.pays_from == calls
    assert taken.ratio == pytest.approx(0.5)
    assert taken.frames_per_hour == pytest.approx(3600 * benzenes()[0].frames)


def test_the_reference_itself_pays_at_once() -> None:
    (taken,) = of(benzenes(numpy_only={"wall_s": 1.0}, torch_mixed={"wall_s": 2.0}))

    assert (taken.series, taken.pays_from) == ("numpy_only", None)


def test_report_shows_it() -> None:
    cells, summary = _tables(benzenes(torch_mixed={"wall_s": 1e-4}))
    shown = section(synthetic.measured(cells=cells, summary=summary))

    assert shown.rows[0][1].text == "torch_mixed"
    assert shown.rows[0][-1].links
