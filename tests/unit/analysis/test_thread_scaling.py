"""Planted speed-ups are found, and what is not pinned is told as that."""

from __future__ import annotations

from dataclasses import replace

import pandas as pd
import pytest

import synthetic
from anisweep import figures, tables
from anisweep.analysis.thread_scaling import scaling_points
from anisweep.cell import NOT_PINNED
from anisweep.figures._drawing import load
from anisweep.report.sections.thread_scaling import section

#: Time with one thread / time, and cores in use; torch_full alone gains.
PLANTED = {1: (1.0, 0.98), 2: (1.6, 1.9), NOT_PINNED: (1.3, 3.5)}


def table(replicates: int = 3, noise: float = 0.01) -> pd.DataFrame:
    rows = []
    for seed, (threads, (speed_up, cores)) in enumerate(PLANTED.items()):
        for row in synthetic.first_look(replicates, noise, seed):
            factor = speed_up if row.mode == "torch_full" else 1.0
            wall = (row.wall_s or 0.0) / factor
            rows.append(
                replace(
                    row,
                    threads=threads,
                    pack=f"{row.pack}-{threads}",
                    key=row.key and f"{row.key}-{threads}",
                    wall_s=wall,
                    cpu_s=cores * wall,
                )
            )
    return tables.cells_table(rows, synthetic.sources(rows))


def test_speed_ups_are_those_that_were_planted() -> None:
    found = [point for point in scaling_points(table(noise=0.0)) if point.system == "benzenes"]

    assert [point.pinning for point in found if point.series == "torch_full"] == [
        "1 thr.",
        "2 thr.",
        "not pinned",
    ]
    for point in found:
        speed_up, cores = PLANTED[point.threads]
        assert point.cores.mean == pytest.approx(cores)
        if point.ratio is None:
            assert point.threads == point.fewest == 1
        else:
            planted = speed_up if point.series == "torch_full" else 1.0
            assert 1 / point.ratio.value == pytest.approx(planted, rel=1e-12)


def test_noise_is_no_speed_up() -> None:
    found = scaling_points(table(noise=0.01))
    verdicts = {point.ratio.verdict for point in found if point.ratio and point.series == "numpy_only"}

    assert "faster" in {
        point.ratio.verdict for point in found if point.ratio and point.series == "torch_full"
    }
    assert verdicts <= {"no difference", "inconclusive"}


def test_report_says_what_pinning_costs_and_hides() -> None:
    shown = section(synthetic.measured(cells=table(noise=0.0)))

    assert (
        "torch_full takes 1.30 (1.30 to 1.30) times as long as not pinned, where it uses 3.5 cores"
        in shown.note
    )
    assert "Pinned to 1 thread, for benzenes at local:" in shown.note
    assert {row[2].text for row in shown.rows} == {"1 thr.", "2 thr.", "not pinned"}
    assert all(row[-1].links for row in shown.rows)


def test_one_replicate_has_no_interval() -> None:
    shown = section(synthetic.measured(cells=table(replicates=1)))

    assert "as long as not pinned" in shown.note
    assert "(" not in shown.note.partition("Pinned to")[2]
    assert {row[7].text for row in shown.rows} == {"reference", "too few packs"}


def test_one_number_of_threads_is_no_question() -> None:
    cells = tables.cells_table(synthetic.first_look(), synthetic.sources(synthetic.first_look()))

    assert section(synthetic.measured(cells=cells)).rows == []
    with pytest.raises(figures.NothingToDraw):
        load("thread_scaling").draw(cells, tables.summary_table(cells))


def test_marks_stand_at_the_speed_ups() -> None:
    cells = table(noise=0.0)
    figure = load("thread_scaling").draw(cells, tables.summary_table(cells))
    axes = figure.axes[-1]

    assert [label.get_text() for label in axes.get_xticklabels()] == ["2", "not pinned"]
    heights = sorted({round(float(y), 9) for marks in axes.containers for y in marks[0].get_ydata()})
    assert heights == [1.0, 1.3, 1.6]
