"""The how-to on models: its script runs, is right, and is what its page shows."""

from __future__ import annotations

import re
import runpy
from pathlib import Path

import numpy as np
import pytest

from anisweep.datasets.generators import ellipsoids

HOW_TO = Path(__file__).resolve().parents[2] / "docs" / "how-to"


@pytest.mark.filterwarnings("ignore:In quaternion mode")
def test_the_script_learns_energies_and_goes_downhill(tmp_path, capsys):
    script = runpy.run_path(str(HOW_TO / "fit_a_model.py"))
    script["write_example"](tmp_path / "example.xyz")
    model, new, share = script["fit"](tmp_path / "example.xyz")

    frame = new[0]
    change = script["use"](model, frame)
    largest = [np.abs(values).max() for values in (frame.get_forces(), frame.calc.results["torques"])]
    assert share < 0.1
    assert change < -1e-3 * max(largest)

    page = (HOW_TO / "fit-a-model.md").read_text()
    assert f"\n```\n{capsys.readouterr().out}```\n" in page


def test_names_at_the_top_of_the_script_are_all_that_another_file_needs(tmp_path):
    script = runpy.run_path(str(HOW_TO / "fit_a_model.py"))
    names = script["fit"].__globals__
    names |= {"DIAMETERS": (2.0, 3.0, 1.0), "ORIENTATIONS": "turns", "ENERGY": "energy", "FORCES": "pushes"}

    script["write_example"](tmp_path / "example.xyz")
    assert "turns:R:4:pushes:R:3:reference_torques:R:3 energy=" in (tmp_path / "example.xyz").read_text()
    model, new, _ = script["fit"](tmp_path / "example.xyz")
    assert script["use"](model, new[0]) < 0


def test_forces_and_torques_of_the_example_are_derivatives_of_its_energies():
    script = runpy.run_path(str(HOW_TO / "fit_a_model.py"))
    frame = next(frame for frame in ellipsoids.generate(frames=9, seed=3) if len(frame) == 2)
    _, forces, torques = script["overlap"](frame)

    def energy(displacements, angles):
        moved = frame.copy()
        moved.positions += displacements
        moved.arrays["c_q"] = script["turned"](frame.arrays["c_q"], angles)
        return script["overlap"](moved)[0]

    still = np.zeros((2, 3))
    for place in np.ndindex(2, 3):
        step = np.zeros((2, 3))
        step[place] = 1e-5
        by_position = (energy(step, still) - energy(-step, still)) / 2e-5
        by_turn = (energy(still, step) - energy(still, -step)) / 2e-5
        assert abs(by_position + forces[place]) <= 1e-7 * np.abs(forces).max()
        assert abs(by_turn + torques[place]) <= 1e-7 * np.abs(torques).max()


def test_the_page_shows_the_script():
    script = (HOW_TO / "fit_a_model.py").read_text()
    blocks = re.findall(r"```python\n(.*?)```", (HOW_TO / "fit-a-model.md").read_text(), re.DOTALL)

    assert len(blocks) == 5
    for block in blocks:
        assert block in script
