"""With `cutoff_smoothing` nothing jumps where a neighbour crosses the cutoff."""

import numpy as np
import pytest
from ase import Atoms, units
from ase.md.verlet import VelocityVerlet
from frames_for_tests import projection, random_frame, relative, shaped

from anisweep.descriptors import BadInput
from anisweep.descriptors.gradients import gradients
from anisweep.descriptors.kernels import loader
from anisweep.models import RidgeCalculator, RidgeModel

CUTOFF, WIDTH = 5.0, 0.8


def couple(distance):
    """Two discs so far apart."""
    atoms = Atoms("H2", positions=[[0, 0, 0], np.array([2.0, -1.0, 2.0]) / 3 * distance])
    atoms.set_array("c_q", np.array([[1.0, 0.2, 0, 0.4], [0.3, 0, 1.0, 0]]))
    return shaped([atoms], "discs")[0]


def spectrum(distance, smoothing):
    return projection(cutoff=CUTOFF, cutoff_smoothing=smoothing).power_spectrum([couple(distance)])


def test_a_neighbour_that_crosses_the_cutoff_makes_no_jump():
    outside = spectrum(CUTOFF + 1e-9, WIDTH)
    assert relative(spectrum(CUTOFF - 1e-9, WIDTH), outside) <= 1e-15
    assert relative(spectrum(CUTOFF - 1e-3, WIDTH), outside) <= 1e-5
    assert relative(spectrum(CUTOFF - 1e-9, None), spectrum(CUTOFF + 1e-9, None)) > 1e-5


def test_a_neighbour_whose_distance_is_rounded_to_the_cutoff_has_no_slope(monkeypatch):
    """As in lattices whose constant divides the cutoff; in a quarter of all directions, by the last digit."""
    directions = np.random.default_rng(0).normal(size=(300, 3))
    frames = [couple(CUTOFF) for _ in directions]
    for frame, direction in zip(frames, directions, strict=True):
        frame.positions[1] = direction * (CUTOFF / np.linalg.norm(direction))

    calculator = projection(cutoff=CUTOFF, cutoff_smoothing=WIDTH)
    cotangent = np.ones(spectrum(1.0, WIDTH).shape[1])
    for level in loader.levels():
        monkeypatch.setenv(loader.VARIABLE, level)
        _, found = gradients(calculator, frames, cotangent)
        assert np.abs(found.positions).max() <= 1e-12
        assert np.abs(found.strain).max() <= 1e-12


def test_the_density_of_a_neighbour_fades_as_a_cosine():
    def coefficients(smoothing):
        calculator = projection(cutoff=CUTOFF, cutoff_smoothing=smoothing, subtract_center_contribution=True)
        return calculator.describe([couple(distance)], "coefficients", per_centre=True).values

    for distance in (1.0, CUTOFF - WIDTH, CUTOFF - 0.6, CUTOFF - 0.01):
        share = min((CUTOFF - distance) / WIDTH, 1.0)
        expected = (1 - np.cos(np.pi * share)) / 2 * coefficients(None)
        assert relative(coefficients(WIDTH), expected) <= 1e-13


@pytest.mark.parametrize("smoothing", [WIDTH, CUTOFF])
def test_derivatives_are_central_differences_also_across_the_cutoff(smoothing):
    frame = random_frame(3, species=(1, 6), edge=4.5)
    calculator = projection(3, cutoff=CUTOFF, cutoff_smoothing=smoothing)
    cotangent = np.random.default_rng(0).normal(size=calculator.power_spectrum([frame]).shape)
    _, result = gradients(calculator, [frame], cotangent)

    def energy(changed):
        return (calculator.power_spectrum([changed]) * cotangent).sum()

    def difference(change):
        energies = []
        for step in (1e-5, -1e-5):
            changed = frame.copy()
            change(changed, step)
            energies.append(energy(changed))
        return (energies[0] - energies[1]) / 2e-5

    def move(index):
        def change(atoms, step):
            atoms.positions[index] += step

        return change

    def stretch(index):
        def change(atoms, step):
            cell = atoms.cell.array.copy()
            cell[index] += step
            atoms.set_cell(cell)

        return change

    by_position, by_cell = np.empty((3, 3)), np.empty((3, 3))
    for index in np.ndindex(3, 3):
        by_position[index] = difference(move(index))
        by_cell[index] = difference(stretch(index))

    assert relative(result.positions, by_position) <= 1e-7
    assert relative(result.cells[0], by_cell) <= 1e-7


def drift(smoothing, step):
    """How far the total energy strays in 100 fs of dynamics, with steps of so many fs."""
    frames = [random_frame(8, edge=6.5, seed=seed, shape="discs") for seed in range(12)]
    calculator = projection(3, cutoff=4.0, cutoff_smoothing=smoothing)
    generator = np.random.default_rng(0)
    features = calculator.power_spectrum(frames)
    truth = features @ generator.normal(size=features.shape[1])
    model = RidgeModel.fit(calculator, frames, 0.16 * truth / truth.std(), alpha=1e-10)

    atoms = frames[0]
    atoms.calc = RidgeCalculator(model)
    atoms.set_masses(np.full(8, 50.0))
    atoms.set_momenta(generator.normal(size=(8, 3)) * np.sqrt(50 * units.kB * 300))
    dynamics = VelocityVerlet(atoms, step * units.fs)

    energies = []
    for _ in range(round(100 / step)):
        dynamics.run(1)
        energies.append(atoms.get_total_energy())
    return np.ptp(energies)


def test_dynamics_keep_the_energy():
    """Up to the square of the step; without the smooth cutoff it jumps with any."""
    assert drift(1.5, step=1) <= drift(1.5, step=2) / 3
    assert drift(None, step=1) >= 1000 * drift(1.5, step=1)


def test_a_width_that_makes_no_sense_is_refused():
    with pytest.raises(
        BadInput, match=r"cutoff_smoothing: 6.0 is not allowed. Allowed: at most cutoff_radius, 5"
    ):
        projection(cutoff=5.0, cutoff_smoothing=6.0)
    with pytest.raises(BadInput, match=r"cutoff_smoothing: -0.5 is not allowed. Allowed: a length"):
        projection(cutoff=5.0, cutoff_smoothing=-0.5)
