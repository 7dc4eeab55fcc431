"""What a task found, and how to train: sections that only studies of tasks have."""

from __future__ import annotations

from dataclasses import replace

import pandas as pd
import pytest

import synthetic
from anisweep import modes
from anisweep.analysis.claims.quantities.training_settings import TrainingRecommended
from anisweep.analysis.training_settings import training_settings
from anisweep.formatting import NOTHING, between
from anisweep.report.answer import answer
from anisweep.report.sections import task_results
from anisweep.report.sections import training_settings as how_to_train
from anisweep.tables import cells_table
from anisweep.tables.summary import summary_table

#: By mode: time of an epoch, and errors of energies, forces and torques.
TRAINED = {
    "plain": (2.0, (0.10, 0.20, 0.30)),
    "on_kernels": (0.5, (0.10, 0.20, 0.30)),
    "force_fraction_30": (0.4, (0.15, 0.21, 0.31)),
    "fp32": (3.0, (0.101, 0.20, 0.30)),
}


@pytest.fixture
def cells() -> pd.DataFrame:
    """Three replicates of training, and a mode that only computes features."""
    like = [row for row in synthetic.first_look() if row.dataset == "ellipsoids" and row.role == "cell"]
    like = [row for row in like if row.mode == "numpy_only" and row.output == "coefficients"]
    rows = []
    for row in like:
        for mode, (wall, errors) in TRAINED.items():
            found = dict(zip(("energy_error", "force_error", "torque_error"), errors, strict=True))
            rows.append(task_row(row, mode, wall, found))
        rows.append(task_row(row, "features", 0.1, {"hit_speedup": 3.0 + row.replicate}))
    return cells_table(rows, synthetic.sources(rows))


def task_row(row, mode, wall, found):
    name = f"training.{mode}"
    return replace(
        row,
        key=f"{name} {row.replicate}",
        output="training",
        mode=name,
        mode_executed=name,
        wall_s=wall,
        results=found,
    )


def test_the_fastest_switch_that_is_as_good_is_to_be_taken(cells):
    settings = {each.series: each for each in training_settings(cells)}

    assert list(settings) == ["force_fraction_30", "on_kernels", "plain", "fp32"]
    assert [name for name, each in settings.items() if each.take] == ["on_kernels"]
    assert settings["on_kernels"].time == pytest.approx(0.25)
    assert settings["on_kernels"].pitfalls == ()
    assert settings["force_fraction_30"].pitfalls == ("energies 50% worse",)
    assert settings["fp32"].pitfalls == ("50% slower",)


def test_the_report_says_so(cells):
    table = how_to_train.section(synthetic.measured(cells=cells))
    says = {row[1].text: row[6].text for row in table.rows}

    assert says["on_kernels"] == "take it"
    assert says["force_fraction_30"] == "energies 50% worse"
    assert [row[1].strong for row in table.rows] == [False, True, False, False]


def test_no_mode_is_called_the_fastest_where_they_compute_different_things(cells):
    rows = cells.assign(max_relative_error=float("nan"))
    summary = summary_table(pd.concat([rows, references(rows)]))

    assert "compute different things, so none is called the fastest" in answer(summary, rows)


def test_the_answer_begins_with_the_mode_that_is_best_by_what_a_task_is_judged_by(cells, monkeypatch):
    summary = summary_table(pd.concat([cells, references(cells)]))
    assert "smallest with" not in answer(summary, cells)

    monkeypatch.setattr(modes, "judged_by", lambda task: "force_error")
    said = answer(summary, cells.assign(result_force_error=cells["result_force_error"] * cells["wall_s"]))
    assert said.startswith("RMSE of forces, held out, over their root mean square: smallest with ")
    assert "smallest with force_fraction_30 (0.0840; plain: 0.400); " in said


def references(cells):
    """The lines of the mode that others are compared with."""
    plain = cells[cells["mode"] == "training.plain"]
    return plain.assign(role="first reference", key="")


def test_each_number_is_told_with_its_ends(cells):
    table = task_results.section(synthetic.measured(cells=cells))
    lines = [dict(zip(table.heads, row, strict=True)) for row in table.rows]
    meaning = modes.meanings_of_results("training")
    (line,) = [line for line in lines if line["what"].text == meaning["hit_speedup"]]

    first, middle, last = (3.0 + replicate for replicate in sorted(set(cells["replicate"])))
    assert line["features"].sort == middle
    assert line["features"].range == between(first, last)
    assert line["plain"].text == NOTHING

    (energies,) = [line for line in lines if line["what"].text == meaning["energy_error"]]
    assert energies["plain"].sort == 0.10
    assert energies["plain"].range == ""


def test_other_studies_have_neither():
    rows = synthetic.first_look()
    study = synthetic.measured(cells=cells_table(rows, synthetic.sources(rows)))

    assert task_results.section(study).rows == []
    assert how_to_train.section(study).rows == []


def test_a_claim_can_ask_whether_there_is_a_recommendation(cells):
    quantity = TrainingRecommended(quantity="training_recommended")

    assert quantity.figure(cells, {}).value == 1.0
    assert quantity.figure(cells[cells["mode"] != "training.plain"], {}).value == 0.0
    assert quantity.figure(cells[cells["output"] == "forces"], {}) is None
