"""Forces and torques: each way gives the same, and what is wrong with them would be noticed."""

from dataclasses import replace

import numpy as np
import pytest

from anisweep.cell import Hypers
from anisweep.datasets.generators import ellipsoids
from anisweep.tasks import forces
from anisweep.worker.clock import Clock, Silent

HYPERS = Hypers(max_angular=2, max_radial=1, cutoff_radius=7.0)
FRAMES = list(ellipsoids.generate(3, seed=4))
PAIR = [ellipsoids.frame(1, 4, particles=2)]
COMPLETE = [mode for mode in forces.MODES if not mode.endswith(("_energy", "_cached"))]


def prepared(mode, frames=FRAMES, hypers=HYPERS):
    if mode.startswith("torch"):
        pytest.importorskip("torch")
    return forces.prepare(mode, hypers, "fp64", "cpu", frames)


@pytest.fixture(autouse=True)
def little_memory(monkeypatch):
    """Makes what is measured small."""
    monkeypatch.setattr(forces, "_LIMITS", (2**20,))
    monkeypatch.setattr(forces, "_TIMED", 2)


@pytest.mark.parametrize("mode", forces.MODES)
def test_all_ways_give_the_same_energies(mode):
    expected = forces.compute(prepared("c_kernels"), FRAMES, Silent())
    clock = Clock()
    energies = forces.compute(prepared(mode), FRAMES, clock)

    assert energies.shape == (3, 1)
    assert np.abs(energies - expected).max() <= 1e-12 * np.abs(expected).max()
    assert clock.seconds


@pytest.mark.parametrize("mode", COMPLETE)
def test_forces_and_torques_are_those_of_the_energy(mode):
    found = forces.results(prepared(mode), FRAMES)

    assert set(found) <= set(forces.RESULTS)
    assert found["difference_error"] <= 1e-9
    assert found["absolute_error"] <= 1e-9
    assert found["force_sum"] <= 1e-12
    assert found.get("batch_error", 0.0) <= 1e-12
    assert ("steps_per_s" in found) == mode.startswith("c_")
    assert found.get("drift", 0.0) <= 0.1


@pytest.mark.parametrize("mode", ["c_energy", "torch_energy", "ase_cached"])
def test_what_computes_no_forces_says_nothing_of_them(mode):
    assert forces.results(prepared(mode), FRAMES) == {}


def test_energies_are_scaled_such_that_forces_are_one():
    calculator = prepared("c_kernels")
    _, pulls, _ = calculator.forces(FRAMES, Silent())

    assert np.sqrt((pulls**2).sum(axis=1).mean()) == pytest.approx(1.0, rel=1e-12)
    assert np.abs(pulls).max() > 0.1


@pytest.mark.parametrize("wrong", [1, 2])
def test_a_wrong_force_and_a_wrong_torque_are_noticed(wrong, monkeypatch):
    calculator = prepared("c_kernels", PAIR)
    right = forces._kernel_forces

    def spoilt(*arguments):
        values = list(right(*arguments))
        values[wrong] = values[wrong] * 1.001
        return tuple(values)

    assert forces.results(calculator, PAIR)["difference_error"] <= 1e-9
    monkeypatch.setattr(forces, "_kernel_forces", spoilt)
    assert forces.results(calculator, PAIR)["difference_error"] > 1e-5


def test_the_tape_is_recorded_and_the_analytic_operator_is_not(monkeypatch):
    pytest.importorskip("torch")
    from anisweep.descriptors.torch_backend import expansion

    calls = []
    right = expansion._expand
    monkeypatch.setattr(expansion, "_expand", lambda *arguments: calls.append(1) or right(*arguments))

    for mode, count in (("torch_analytic", 0), ("torch_tape", 1)):
        calls.clear()
        forces.compute(prepared(mode), FRAMES, Silent())
        assert len(calls) == count


def test_a_frame_that_is_asked_for_again_is_not_computed(monkeypatch):
    calculator = prepared("ase_cached")
    first = forces.compute(calculator, FRAMES, Silent())
    moved = [frame.copy() for frame in FRAMES]
    for frame in moved:
        frame.positions += 0.01 * np.arange(3 * len(frame)).reshape(-1, 3)

    monkeypatch.setattr(type(calculator.model), "compute", lambda *_: pytest.fail("it was computed"))
    assert np.array_equal(forces.compute(calculator, moved, Silent()), first)


def test_dynamics_drift_more_where_the_forces_are_not_the_energys():
    model = prepared("c_kernels", PAIR).model
    honest = forces._dynamics(model, PAIR, 1)["drift"]

    class Other:
        projection, unit, species = model.projection, model.unit, model.species

        def compute(self, frames):
            energies, derivatives = model.compute(frames)
            return energies, replace(derivatives, positions=1.5 * derivatives.positions)

    assert forces._dynamics(Other(), PAIR, 1)["drift"] > 10 * honest
