"""Planted crossovers are found, and what the data cannot tell is not told."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

import synthetic
from anisweep import tables
from anisweep.analysis.crossover import Crossover, crossovers
from anisweep.report.sections.crossover import section

SIZES = (2, 24, 96, 384)


def cells(noise: float = 0.0, **one_off: Callable[[int], float]) -> pd.DataFrame:
    """One-off calls of each mode, as seconds of the number of particles."""
    rng = np.random.default_rng(5)
    pattern = {row.mode: row for row in synthetic.first_look() if row.role == "cell" and row.frames == 1}
    rows = []

    for replicate in (1, 2, 3):
        for size in SIZES:
            problem = {"dataset": f"n{size}", "pack": f"n{size}-r{replicate}", "replicate": replicate}
            for mode, seconds in one_off.items():
                row = replace(
                    pattern[mode], **problem, particles=size, pairs=80 * size, output="coefficients"
                )
                rows.append(replace(row, one_off_s=seconds(size) * float(np.exp(noise * rng.normal()))))
            rows.append(
                replace(rows[-len(one_off)], role="first reference", mode="numpy_only", one_off_s=None)
            )

    return tables.cells_table(rows, synthetic.sources(rows))


def published(size: int) -> float:
    return 2.0 + 0.01 * size


def only(found: list[Crossover]) -> Crossover:
    (one,) = found
    return one


def test_a_mode_that_starts_slowly_and_computes_fast() -> None:
    """3 + 0.001 N against 2 + 0.01 N: equal at 111 particles."""
    rows = cells(0.001, numpy_only=published, torch_mixed=lambda size: 3.0 + 0.001 * size)
    found = only(crossovers(rows))

    assert found.series == "torch_mixed"
    assert found.sizes == SIZES
    assert (found.slower_up_to, found.faster_from) == (96, 384)
    assert found.crossing == pytest.approx(111, rel=0.1)
    assert len(found.artifacts) == 12


def test_a_mode_in_packs_of_its_own_is_compared_by_replicate() -> None:
    """As after a change of its code, when it alone is measured again."""
    rows = cells(0.001, numpy_only=published, torch_mixed=lambda size: 3.0 + 0.001 * size)
    alone = rows["mode"] == "torch_mixed"
    rows = rows.assign(pack=rows["pack"].where(~alone, rows["pack"] + "-later"))

    assert only(crossovers(rows)).crossing == pytest.approx(111, rel=0.1)


@pytest.mark.parametrize(
    ("seconds", "slower_up_to", "faster_from"),
    [(lambda size: 1.0, None, 2), (lambda size: 3.0 + 0.02 * size, 384, None)],
)
def test_a_mode_that_stays_on_one_side(
    seconds: Callable[[int], float], slower_up_to: int | None, faster_from: int | None
) -> None:
    found = only(crossovers(cells(0.001, numpy_only=published, torch_mixed=seconds)))

    assert (found.slower_up_to, found.faster_from) == (slower_up_to, faster_from)
    assert found.crossing is None


def test_what_lies_within_the_noise_is_neither() -> None:
    found = only(crossovers(cells(0.2, numpy_only=published, torch_mixed=published)))

    assert (found.slower_up_to, found.faster_from) == (None, None)


def test_each_mode_has_its_own_and_the_report_shows_it() -> None:
    rows = cells(
        0.001,
        numpy_only=published,
        torch_mixed=lambda size: 3.0 + 0.001 * size,
        torch_full=lambda size: 1.0,
    )
    shown = section(synthetic.measured(cells=rows))

    assert [line[0].text for line in shown.rows] == ["torch_full", "torch_mixed"]
    assert [line[4].text for line in shown.rows] == ["2", "384"]
    assert all(line[-1].links for line in shown.rows)


def test_studies_that_time_no_one_off_calls_have_none() -> None:
    rows = synthetic.first_look()
    table = tables.cells_table(rows, synthetic.sources(rows))

    assert crossovers(table) == []
    assert crossovers(table.iloc[:0]) == []
    assert crossovers(table.drop(columns="one_off_s")) == []
