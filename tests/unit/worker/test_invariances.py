"""What a power spectrum must not feel: our own kernels do not, and a wrong spectrum is found out."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from ase import Atoms

import synthetic
from anisweep import datasets, tables
from anisweep.cell import Hypers
from anisweep.modes import fused_cpu
from anisweep.report.sections.invariances import section
from anisweep.worker.clock import Silent
from anisweep.worker.fidelity import flatten
from anisweep.worker.invariances import CHANGES, largest_changes

RECIPE = replace(datasets.generated()["ellipsoids"], frames=4)


def spectrum(frames: list[Atoms]) -> np.ndarray:
    hypers = Hypers(max_angular=3, cutoff_radius=5.0)
    calculator = fused_cpu.prepare(hypers, "power_spectrum", "fp64", "cpu")
    return flatten(fused_cpu.compute(calculator, frames, Silent())).values


def test_right_spectrum_feels_the_control_alone() -> None:
    changes = largest_changes(spectrum, list(RECIPE.generate()))

    assert list(changes) == list(CHANGES)
    assert changes.pop("orientations_alone") > 1e-2
    assert max(changes.values()) <= 1e-12


@pytest.mark.parametrize(
    ("wrong", "felt"),
    [
        (lambda frame: frame.positions.sum(axis=0), {"rotation", "translation", "inversion"}),
        (lambda frame: frame.positions[0] - frame.positions[-1], {"rotation", "permutation", "inversion"}),
        (lambda frame: frame.arrays["c_q"][0], {"rotation", "permutation", "sign", "orientations_alone"}),
    ],
)
def test_wrong_spectrum_is_found_out(wrong, felt) -> None:
    frame = Atoms("XX", [[0.1, 0.2, 0.3], [1.0, 2.0, 0.5]], cell=[9, 8, 7], pbc=True)
    frame.arrays["c_q"] = np.array([[1.0, 0.0, 0.0, 0.0], [0.6, 0.8, 0.0, 0.0]])

    changes = largest_changes(lambda frames: np.concatenate([wrong(each) for each in frames]), [frame] * 8)
    assert {name for name, change in changes.items() if change > 1e-6} == felt


def test_report_shows_the_largest() -> None:
    rows = [row for row in synthetic.first_look() if row.role == "cell"][:2]
    measured = [replace(row, invariances={"rotation": 1e-15, "sign": 0.0}) for row in rows]
    cells: pd.DataFrame = tables.cells_table(measured, synthetic.sources(measured))

    shown = section(synthetic.measured(cells=cells))
    assert shown.heads == ["system", "mode", "rotation", "sign", "artifacts"]
    assert shown.rows[0][2].text == "1.0e-15"
    without = cells.drop(columns=["invariance_rotation", "invariance_sign"])
    assert section(synthetic.measured(cells=without)).rows == []
