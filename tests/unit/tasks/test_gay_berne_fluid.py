"""The task `gay_berne_fluid`: what LAMMPS says of its own potential, and what is learned from it."""

import sys

import numpy as np
import pytest
from ase import Atoms

from anisweep.cell import Hypers
from anisweep.modes import Unavailable
from anisweep.tasks import gay_berne_fluid
from anisweep.worker.clock import Clock
from tests.conformance.real_lammps import start

HYPERS = Hypers(max_angular=4, max_radial=2, cutoff_radius=7.5, radial_gaussian_width=0.8, basis_tol=1e-2)
FRAMES = [Atoms("X")] * 4
STEP = 1e-5


@pytest.fixture
def _short(monkeypatch):
    start().close()
    for name, steps in {"_LONGEST": 300, "_SHORTEST": 60, "_APART": 20, "_RUNS": 2}.items():
        monkeypatch.setattr(gay_berne_fluid, name, steps)
    yield
    gay_berne_fluid._trajectory.cache_clear()
    gay_berne_fluid._reference.cache_clear()


def energy(frame):
    return gay_berne_fluid._TrueFluid(frame, seed=1).frame().info["energy"]


@pytest.mark.usefixtures("_short")
def test_configurations_have_labels_without_the_heat_bath():
    frame = gay_berne_fluid._trajectory(0.28, 1, 2, 60)[1]
    forces = frame.arrays["forces"]
    particle = int(np.abs(forces).max(axis=1).argmax())

    assert np.abs(forces.sum(axis=0)).max() < 1e-6 * np.abs(forces).max()
    assert energy(frame) == pytest.approx(frame.info["energy"], rel=1e-6)

    moved = []
    for sign in (1, -1):
        moved.append(frame.copy())
        moved[-1].positions[particle, 0] += sign * STEP
    slope = (energy(moved[0]) - energy(moved[1])) / (2 * STEP)
    assert -slope == pytest.approx(forces[particle, 0], abs=1e-3 * np.abs(forces).max())


@pytest.mark.usefixtures("_short")
def test_a_model_is_tested_on_other_configurations_and_run():
    study = gay_berne_fluid.prepare("ridge_pair", HYPERS, "fp64", "cpu", FRAMES)
    clock = Clock()
    positions = gay_berne_fluid.compute(study, FRAMES, clock)
    found = gay_berne_fluid.results(study, FRAMES)

    assert positions.shape == (72, 3)
    assert clock.seconds["steps"] > clock.seconds["frame"]
    assert set(found) == set(gay_berne_fluid.RESULTS)
    assert found["force_error"] < 0.9
    assert found["energy_error"] < found["nematic_energy_error"]
    assert found["nve_drift"] < 0.05


@pytest.mark.usefixtures("_short")
def test_the_true_potential_has_a_structure_and_no_errors():
    study = gay_berne_fluid.prepare("true_potential", HYPERS, "fp64", "cpu", FRAMES)
    found = gay_berne_fluid.results(study, FRAMES)

    assert not any(name.endswith("error") for name in found)
    assert 0 < found["g_difference"] < found["g_largest"]
    assert found["temperature"] == pytest.approx(1.25, rel=0.3)


@pytest.mark.usefixtures("_short")
def test_the_density_of_the_poor_model_has_the_diameters_of_the_particle():
    poor, fair = (
        gay_berne_fluid.prepare(mode, HYPERS, "fp64", "cpu", FRAMES) for mode in ("ridge_poor", "ridge_pair")
    )
    errors = [gay_berne_fluid._errors(study)["force_error"] for study in (poor, fair)]

    assert errors[0] > 0.8 > errors[1]
    assert (poor.fluid.frame().arrays["c_diameter[3]"] == 6).all()
    assert (fair.fluid.frame().arrays["c_diameter[3]"] == 2.1).all()


def test_without_lammps_it_is_unavailable(monkeypatch):
    monkeypatch.setitem(sys.modules, "lammps", None)
    gay_berne_fluid._trajectory.cache_clear()

    with pytest.raises(Unavailable, match="there is no LAMMPS"):
        gay_berne_fluid.prepare("ridge_pair", HYPERS, "fp64", "cpu", FRAMES)
