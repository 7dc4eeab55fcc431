"""Is it conversion, or kernels and threads? Three synthetic tables give the three answers."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest

import synthetic
from anisweep import tables
from anisweep.analysis.conversion import conversions, overall, write
from anisweep.row import Row


def table(times: float, conversion: float, noise: float = 0.01) -> pd.DataFrame:
    """A summary in which torch_mixed takes ``times`` as long as numpy_only, a share of it for conversion."""
    rows = [_changed(row, times, conversion) for row in synthetic.first_look(noise=noise)]
    kept = [row for row in rows if row.mode in ("numpy_only", "torch_mixed")]
    return tables.summary_table(tables.cells_table(kept, synthetic.sources(kept)))


def _changed(row: Row, times: float, conversion: float) -> Row:
    if row.mode != "torch_mixed" or row.wall_s is None:
        return row

    # as numpy_only in the same formula, and so many times as long
    microseconds = {mode: synthetic.MODES[mode][0] for mode in ("numpy_only", "torch_mixed")}
    computing = 1e-6 * (row.pairs or 0) * (1.04 if row.output == "power_spectrum" else 1.0)
    overhead = 2e-3 * row.species**0.5
    as_numpy = (microseconds["numpy_only"] * computing + overhead) / (
        microseconds["torch_mixed"] * computing + overhead
    )
    wall = row.wall_s * as_numpy * times
    return replace(
        row,
        wall_s=wall,
        traced_wall_s=wall,
        conv_in_s=0.6 * conversion * wall,
        conv_out_s=0.4 * conversion * wall,
    )


@pytest.mark.parametrize(
    ("times", "conversion", "answer"),
    [
        (1.4, 0.25, "conversion"),  # 0.35 of the 0.40 that it loses
        (1.4, 0.02, "kernels"),  # 0.03 of 0.40
        (1.4, 0.143, "inconclusive"),  # 0.20 of 0.40: a half
    ],
)
def test_three_tables_give_the_three_answers(times: float, conversion: float, answer: str) -> None:
    made = conversions(table(times, conversion))

    assert overall(made) == {"torch_mixed": answer}
    assert {each.answer for each in made} == {answer}


@pytest.mark.parametrize(
    ("times", "conversion", "answer"),
    [
        (0.7, 0.30, "kernels"),  # faster in spite of it
        (1.0, 0.30, "conversion"),  # without it, faster
        (1.0, 0.02, "inconclusive"),  # no difference, and nothing hidden
    ],
)
def test_a_mode_that_does_not_lose(times: float, conversion: float, answer: str) -> None:
    assert overall(conversions(table(times, conversion))) == {"torch_mixed": answer}


def test_noise_decides_nothing() -> None:
    """A loss of 3 % in noise of 30 %, without conversion to speak of."""
    assert {each.answer for each in conversions(table(1.03, 0.05, noise=0.3))} == {"inconclusive"}


def test_its_numbers_are_those_of_the_table() -> None:
    summary = table(1.4, 0.25)
    (line,) = summary[(summary["dataset"] == "benzenes") & (summary["mode"] == "torch_mixed")].to_dict(
        "records"
    )
    (made,) = (each for each in conversions(summary) if each.system == "benzenes")

    assert (made.ratio, made.low, made.high) == (line["ratio"], line["ratio_low"], line["ratio_high"])
    assert made.conversion == pytest.approx(0.25, rel=1e-12)
    assert made.without_conversion == pytest.approx(0.75 * made.ratio, rel=1e-12)
    assert made.explained == pytest.approx(0.25 * made.ratio / (made.ratio - 1), rel=1e-12)
    assert " ".join(made.artifacts) == line["artifacts"]


def test_the_reference_and_what_does_not_convert_are_not_decided() -> None:
    assert {each.mode for each in conversions(table(1.4, 0.25))} == {"torch_mixed"}
    assert conversions(table(1.4, 0.0)) == []


def test_points_that_disagree_give_no_answer() -> None:
    made = [*conversions(table(1.4, 0.25)), *conversions(table(1.4, 0.02))]
    assert overall(made) == {"torch_mixed": "inconclusive"}


def test_the_file(tmp_path: Path) -> None:
    write(table(1.4, 0.25), tmp_path / "conversion.json")
    content = json.loads((tmp_path / "conversion.json").read_text())

    assert content["answers"] == {"torch_mixed": "conversion"}
    assert len(content["points"]) == 8
    assert all(point["because"].startswith("conversion explains") for point in content["points"])
