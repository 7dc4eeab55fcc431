"""Verdicts come from the tables and from nothing else."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import synthetic
from anisweep import tables
from anisweep.analysis.claims import Line, read, write
from anisweep.analysis.claims.claim import Bound, ClaimFile
from anisweep.analysis.claims.judging import ledger, verdict
from anisweep.analysis.claims.quantities import Figure
from anisweep.cell import NOT_PINNED
from anisweep.errors import UserError
from anisweep.row import Row

SLOW = {"quantity": "time_ratio", "of": {"mode": "torch_mixed"}, "to": {"mode": "numpy_only"}}


def source(**claim: Any) -> dict[str, ClaimFile]:
    """One source with one claim."""
    table = {"rows_there": 1, "rows": {"row": {"row": "a row", "claims": [{"says": "a claim", **claim}]}}}
    return {"somebody": ClaimFile.model_validate({"source": "somebody", "tables": {"claims": table}})}


def judged(rows: list[Row], **claim: Any) -> Line:
    (line,) = ledger(source(**claim), tables.cells_table(rows, synthetic.sources(rows)))
    return line


@pytest.mark.parametrize(
    ("low", "high", "expected"),
    [
        (1.1, 1.9, "confirmed"),
        (1.0, 2.0, "confirmed"),
        (2.1, 2.2, "refuted"),
        (0.1, 0.9, "refuted"),
        (0.9, 1.1, "inconclusive"),
        (0.5, 2.5, "inconclusive"),
        (float("nan"), float("nan"), "inconclusive"),
    ],
)
def test_the_interval_against_the_claimed_range(low: float, high: float, expected: str) -> None:
    figure = Figure(1.5, low, high, 3, "packs", "local", ())
    assert verdict(figure, Bound(1.0, 2.0))[0] == expected


def test_an_edited_table_flips_the_verdict(tmp_path: Path) -> None:
    """Nothing but a time in the table changes."""
    rows = synthetic.first_look()
    tables.write_cells(rows, synthetic.sources(rows), tmp_path)
    claim = source(between=[1.2, 1.4], conditions={"dataset": "benzenes"}, measure=SLOW)
    (before,) = ledger(claim, tables.all_cells([tmp_path]))

    cells = tables.read(tmp_path, "cells")
    cells.loc[(cells["mode"] == "torch_mixed") & (cells["dataset"] == "benzenes"), "wall_s"] *= 2
    cells.to_parquet(tmp_path / "cells.parquet", index=False)
    (after,) = ledger(claim, tables.all_cells([tmp_path]))

    assert (before.verdict, after.verdict) == ("confirmed", "refuted")
    assert before.value is not None
    assert after.value == pytest.approx(2 * before.value, rel=1e-12)


def test_a_time_ratio_is_that_of_the_summary() -> None:
    rows = synthetic.first_look()
    line = judged(rows, figure=1.3, conditions={"dataset": "benzenes"}, measure=SLOW)
    summary = tables.summary_table(tables.cells_table(rows, synthetic.sources(rows)))
    (point,) = summary[(summary["dataset"] == "benzenes") & (summary["mode"] == "torch_mixed")].to_dict(
        "records"
    )

    assert (line.value, line.low, line.high) == pytest.approx(
        (point["ratio"], point["ratio_low"], point["ratio_high"]), rel=1e-12
    )
    assert (line.count, line.count_of, line.site) == (3, "packs", "local")
    assert line.artifacts.split() == point["artifacts"].split()


def test_a_ratio_of_other_times_than_the_whole() -> None:
    """Of a stage, and of the sum of two."""
    rows = [
        replace(row, stages_s={"contraction": seconds, "conv_in": 0.5}) if row.role == "cell" else row
        for row in synthetic.first_look()
        if (seconds := {"numpy_only": 2.0, "torch_mixed": 3.0}.get(row.mode))
    ]
    conditions = {"dataset": "benzenes", "role": "cell"}

    one = judged(rows, figure=1.5, conditions=conditions, measure={**SLOW, "time": ["stage_contraction_s"]})
    both = ["stage_contraction_s", "stage_conv_in_s"]
    two = judged(rows, figure=1.4, conditions=conditions, measure={**SLOW, "time": both})

    assert (one.value, one.verdict) == (pytest.approx(1.5, rel=1e-12), "confirmed")
    assert (two.value, two.count) == (pytest.approx(3.5 / 2.5, rel=1e-12), 3)
    assert judged(rows, figure=1.5, measure={**SLOW, "time": ["stage_prayer_s"]}).value is None


def test_data_sets_of_different_packs_are_paired_by_replicate() -> None:
    rows = synthetic.first_look(noise=0.0)
    measure = {"quantity": "time_ratio", "of": {"dataset": "four_species"}, "to": {"dataset": "one_species"}}
    line = judged(
        rows, figure=1.0, conditions={"mode": "numpy_only", "output": "coefficients"}, measure=measure
    )

    # the formula of the synthetic rows: 90 microseconds a pair and 2 ms x the root of the number of species
    expected = (90e-6 * 1745 + 2e-3 * 2) / (90e-6 * 1745 + 2e-3)
    assert line.value == pytest.approx(expected, rel=1e-12)
    assert line.count == 3


def test_shares() -> None:
    measure = {"quantity": "share", "part": ["stage_contraction_s"], "whole": ["traced_wall_s"]}
    conditions = {"mode": "numpy_only", "dataset": "benzenes"}
    line = judged(synthetic.first_look(), figure=0.66, conditions=conditions, measure=measure)

    assert line.value == pytest.approx(0.66, rel=1e-12)
    assert line.verdict == "confirmed"


def test_a_share_with_imports() -> None:
    """1 s of import in the first reference of each process, and 0.314 s of computing."""
    rows = [
        replace(r, import_s=1.0 if r.role == "first reference" else 0.0)
        for r in synthetic.first_look(noise=0.0)
    ]
    measure = {
        "quantity": "share", "part": ["stage_contraction_s"], "whole": ["traced_wall_s"], "with_import": True
    }  # fmt: skip
    line = judged(
        rows, figure=0.15, conditions={"mode": "numpy_only", "dataset": "benzenes"}, measure=measure
    )
    (row,) = (
        r for r in rows if (r.dataset, r.mode, r.role, r.replicate) == ("benzenes", "numpy_only", "cell", 0)
    )

    assert row.wall_s is not None
    assert line.value == pytest.approx(row.stages_s["contraction"] / (row.wall_s + 1.0), rel=1e-12)

    imported = judged(rows, figure=1.0, measure={"quantity": "import_time"})
    assert (imported.value, imported.verdict) == (1.0, "confirmed")


def test_what_no_row_has_is_open() -> None:
    rows = synthetic.first_look()
    no_stage = {"quantity": "share", "part": ["stage_prayer_s"], "whole": ["traced_wall_s"]}
    no_column = {"quantity": "largest", "column": "stage_prayer_s"}

    for measure in (no_stage, no_column):
        line = judged(rows, figure=0.5, measure=measure)
        assert (line.verdict, line.value) == ("open", None)


def test_extremes_and_their_artifact() -> None:
    rows = synthetic.with_troubles()
    line = judged(rows, at_most=1e-10, measure={"quantity": "largest", "column": "max_relative_error"})

    assert (line.value, line.verdict) == (1e-6, "refuted")
    assert [name.rpartition("/")[2][:12] for name in line.artifacts.split()] == ["four_species"]

    least = judged(rows, at_least=1e-12, measure={"quantity": "smallest", "column": "max_relative_error"})
    assert least.value is not None
    assert least.value < line.value


@pytest.mark.parametrize(
    ("test", "change", "share"),
    [
        ("ran_the_mode", {"mode_executed": "anisweep.modes.numpy_only"}, 0.0),
        ("agree_elementwise", {"elementwise": False}, 0.0),
        ("have_the_threads", {"pools": {"openblas": 1, "torch": 2}}, 0.0),
        ("have_the_threads", {"pools": {"openblas": 1}}, 1.0),
        ("have_the_threads", {"pools": {}}, 0.0),
        ("know_cpu_use", {"cpu_utilisation": 0.99}, 1.0),
        ("know_cpu_use", {"cpu_utilisation": None}, 0.0),
        ("stalled", {"status": "stalled", "reason": "600 s"}, 1.0),
        ("have_words", {"status": "failed", "reason": ""}, 0.0),
    ],
)
def test_tests_of_rows(test: str, change: dict[str, Any], share: float) -> None:
    rows = [replace(r, **change) if r.mode == "torch_full" else r for r in synthetic.first_look()]
    measure = {"quantity": "rows_that", "test": test}
    line = judged(rows, exactly=1, conditions={"mode": "torch_full"}, measure=measure)

    assert line.value == share
    assert line.verdict == ("confirmed" if share == 1 else "refuted")


def test_what_is_not_pinned_asks_for_no_threads() -> None:
    rows = [replace(r, threads=NOT_PINNED, pools={"openblas": 8}) for r in synthetic.first_look()]
    measure = {"quantity": "rows_that", "test": "have_the_threads"}

    assert judged(rows, exactly=1, measure=measure).verdict == "open"
    assert judged(rows + synthetic.first_look(seed=8), exactly=1, measure=measure).value == 1


def test_calls_and_their_law() -> None:
    """Of P = 3,491 pairs, T = 2 species and L = 6: 7 P + 4 x 7."""
    right = [
        replace(r, counts={"contraction": 7 * (r.pairs or 0) + 7 * r.species**2})
        for r in synthetic.first_look()
    ]
    conditions = {"mode": "numpy_only", "output": "coefficients"}
    law = {"quantity": "calls", "per_law": True}

    assert judged(right, exactly=1, conditions=conditions, measure=law).verdict == "confirmed"
    assert judged(synthetic.first_look(), exactly=1, conditions=conditions, measure=law).verdict == "refuted"

    number = judged(
        right, exactly=24465, conditions=conditions | {"dataset": "benzenes"}, measure={"quantity": "calls"}
    )
    assert (number.value, number.verdict) == (24465, "confirmed")


def test_the_exponent_of_species() -> None:
    """Times that grow as Z^1.5."""
    rows = [
        replace(r, wall_s=0.1 * r.species**1.5 * (1 + 0.01 * r.replicate)) if r.wall_s else r
        for r in synthetic.first_look()
    ]
    conditions = {"mode": "numpy_only", "output": "coefficients"}
    line = judged(rows, at_most=2.0, conditions=conditions, measure={"quantity": "species_exponent"})

    assert line.value == pytest.approx(1.5, rel=1e-12)
    assert line.verdict == "confirmed"


def test_one_pack_is_too_few() -> None:
    line = judged(
        synthetic.first_look(replicates=1), figure=1.3, conditions={"dataset": "benzenes"}, measure=SLOW
    )

    assert line.verdict == "inconclusive"
    assert "more replicates" in line.reason


@pytest.mark.parametrize(
    ("status", "reason", "expected"),
    [
        ("unavailable", "torch has no CUDA device", ("not measurable", "torch has no CUDA device")),
        ("failed", "MemoryError", ("open", "failed: MemoryError")),
    ],
)
def test_rows_say_why_there_is_no_figure(status: Any, reason: str, expected: tuple[str, str]) -> None:
    rows = [
        replace(r, status=status, reason=reason, wall_s=None) if r.mode == "torch_mixed" else r
        for r in synthetic.first_look()
    ]
    line = judged(rows, figure=1.3, measure=SLOW)
    assert (line.verdict, line.reason) == expected


def test_reasons_without_a_measurement() -> None:
    rows = synthetic.first_look()
    gone = {"quantity": "time_ratio", "of": {"mode": "not_there"}, "to": {"mode": "numpy_only"}}

    assert judged(rows, open="later").verdict == "open"
    assert judged(rows, not_measurable="no such machine").verdict == "not measurable"
    assert judged(rows, figure=1.0, measure=gone, needs="an Apple GPU").verdict == "not measurable"
    assert judged(rows, figure=1.0, measure=gone).verdict == "open"
    assert ledger(source(figure=1.0, measure=gone), pd.DataFrame())[0].verdict == "open"


def test_sites_are_never_averaged() -> None:
    """The site with more packs counts."""
    rows = synthetic.first_look()
    there = [
        replace(r, site="chtc", pack=f"there-{r.pack}", key=f"x{r.key}", wall_s=5 * (r.wall_s or 0))
        for r in rows
        if r.replicate < 2 and r.mode == "torch_mixed"
    ] + [
        replace(r, site="chtc", pack=f"there-{r.pack}", key=f"x{r.key}")
        for r in rows
        if r.replicate < 2 and r.mode != "torch_mixed"
    ]
    alone = judged(rows, figure=1.3, conditions={"dataset": "benzenes"}, measure=SLOW)

    assert judged(rows + there, figure=1.3, conditions={"dataset": "benzenes"}, measure=SLOW) == alone


def test_of_what_was_measured_again_the_latest_counts(tmp_path: Path) -> None:
    """Another study measured the same points a day later, with other code."""
    old = synthetic.first_look()
    new = [
        replace(
            r,
            key=f"new-{r.key}" if r.key else "",
            pack=f"new-{r.pack}",
            started="2025-11-21T10:00:00Z",
            code="1" * 64,
        )
        for r in synthetic.first_look(seed=8)
    ]
    for name, rows in {"old": old, "new": new, "again": old}.items():
        tables.write_cells(rows, synthetic.sources(rows), tmp_path / name)

    cells = tables.all_cells([tmp_path / "old", tmp_path / "new", tmp_path / "again"])
    assert set(cells["pack"]) == {row.pack for row in new}
    assert len(cells) == len(new)


def test_the_file_is_read_back_as_it_was_written(tmp_path: Path) -> None:
    lines = [
        judged(synthetic.first_look(), figure=1.3, conditions={"dataset": "benzenes"}, measure=SLOW),
        judged(synthetic.first_look(), open="later, perhaps"),
    ]
    write(lines, tmp_path / "claims.csv")

    assert read(tmp_path / "claims.csv") == lines
    assert np.isfinite(lines[0].value or np.nan)


@pytest.mark.parametrize(
    "measure",
    [
        SLOW | {"of": {"mode": ["torch_mixed", "torch_full"]}},
        {"quantity": "share", "part": ["conv_in_s"], "whole": ["traced_wall_s"]},
        {"quantity": "species_exponent"},
    ],
)
def test_no_average_goes_over_modes(measure: dict[str, Any]) -> None:
    with pytest.raises(UserError, match="'a claim': the conditions leave its mode open"):
        judged(synthetic.first_look(), figure=1.0, measure=measure)
