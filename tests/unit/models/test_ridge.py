"""A ridge model: it fits, and its calculator's forces and stress are its energies' derivatives."""

import copy
import pickle

import ase.io
import numpy as np
import pytest
from ase.stress import full_3x3_to_voigt_6_stress

from anisweep.descriptors.errors import BadInput
from anisweep.models import RidgeCalculator, RidgeModel
from tests.unit.descriptors.frames_for_tests import projection, random_frame, relative


@pytest.fixture
def fitted():
    frames = [random_frame(4, edge=6.5, seed=seed, shape="discs") for seed in range(12)]
    calculator = projection(3, cutoff=4.0)
    truth = np.random.default_rng(0).normal(size=calculator.power_spectrum(frames).shape[1])
    energies = 4 * (calculator.power_spectrum(frames) @ truth + 0.25)
    return RidgeModel.fit(calculator, frames, energies, alpha=1e-14), frames, energies


def test_a_linear_truth_is_found(fitted):
    model, frames, energies = fitted

    assert np.abs(model.energies(frames) - energies).max() <= 1e-6 * np.ptp(energies)


@pytest.mark.parametrize(("one", "other"), [(1, 6), (150, 2**30 + 5)])
def test_each_species_has_an_energy_of_its_own(one, other):
    """Also those that are no elements: types and beads."""
    compositions = ((one, other), (other,), (one, one, other))
    frames = [random_frame(n, kinds, edge=6.5, seed=n) for n in range(2, 14) for kinds in compositions]
    calculator = projection(2, cutoff=4.0)
    features = calculator.power_spectrum(frames)
    truth = np.random.default_rng(0).normal(size=features.shape[1])
    counts = np.array(
        [[np.count_nonzero(frame.numbers == kind) for kind in (one, other)] for frame in frames]
    )
    energies = counts.sum(axis=1) * (features @ truth) + counts @ [-1000.0, -1500.0]

    model = RidgeModel.fit(calculator, frames, energies, alpha=1e-14)
    assert np.abs(model.energies(frames) - energies).max() <= 1e-5
    frames[0].calc = RidgeCalculator(model)
    assert frames[0].get_potential_energy() == pytest.approx(model.energies(frames[:1])[0], rel=1e-12)


def test_ase_exports_what_it_knows(fitted, tmp_path):
    model, frames, _ = fitted
    frames[0].calc = RidgeCalculator(model)
    forces = frames[0].get_forces()

    assert set(frames[0].calc.export_properties()) >= {"energy", "forces", "stress"}
    ase.io.write(tmp_path / "there.xyz", frames[0], format="extxyz")
    assert ase.io.read(tmp_path / "there.xyz").get_forces() == pytest.approx(forces, abs=1e-7)


def test_where_there_is_nothing_to_learn_the_mean_is_the_answer():
    frame = random_frame(4, seed=1)
    others = [random_frame(n, seed=n) for n in (1, 5)]
    for count in (1, 3, 7):
        model = RidgeModel.fit(projection(3), [frame] * count, [-2.0] * count, alpha=0)
        assert model.energies([frame, *others]) == pytest.approx([-2.0, -0.5, -2.5], rel=1e-12)

    with pytest.raises(BadInput, match="each particle must count: give a projection without drop_isolated"):
        RidgeModel.fit(projection(3, drop_isolated=True), [frame], [1.0])
    for wrong in ([np.nan], [1.0, 2.0], [[1.0]], ["a"]):
        with pytest.raises(BadInput, match="energies must be 1 finite numbers, one for each frame"):
            RidgeModel.fit(projection(3), [frame], wrong)
    with pytest.raises(BadInput, match="alpha must be a number from 0 on, not -1"):
        RidgeModel.fit(projection(3), [frame], [1.0], alpha=-1)
    with pytest.raises(BadInput, match="frame 1 has no particles, so no energy per particle"):
        RidgeModel.fit(projection(3), [frame, random_frame(0)], [-2.0, 0.0])


@pytest.mark.filterwarnings("ignore:Frame 0 does not have rotations")
def test_frames_without_orientations_are_looked_at_again(fitted):
    model, frames, _ = fitted
    atoms = frames[0].copy()
    del atoms.arrays["c_q"]
    atoms.calc = RidgeCalculator(model)
    assert atoms.get_potential_energy() == atoms.get_potential_energy()


def test_a_fitted_model_and_atoms_that_it_computed_can_be_kept(fitted):
    model, frames, _ = fitted
    atoms = frames[0].copy()
    atoms.calc = RidgeCalculator(model)
    forces = atoms.get_forces()

    kept = copy.deepcopy(atoms)
    kept.calc = RidgeCalculator(pickle.loads(pickle.dumps(model)))
    assert (kept.get_forces() == forces).all()


def test_without_a_ridge_rounding_is_not_learned(fitted):
    model, frames, energies = fitted
    plain = RidgeModel.fit(model.projection, frames, energies, alpha=0)
    assert np.abs(plain.energies(frames) - energies).max() <= 1e-9 * np.ptp(energies)


def test_forces_and_stress_are_derivatives_of_the_energy(fitted):
    model, frames, _ = fitted
    atoms = frames[0]
    atoms.calc = RidgeCalculator(model)
    forces, stress = atoms.get_forces(), atoms.get_stress()

    def energy(change):
        moved = atoms.copy()
        change(moved)
        return model.energies([moved])[0]

    def shifted(index, step):
        def change(moved):
            moved.positions[index] += step

        return energy(change)

    def strained(index, step):
        strain = np.zeros((3, 3))
        strain[index] += step / 2
        strain[index[::-1]] += step / 2
        return energy(lambda moved: moved.set_cell(moved.cell.array @ (np.eye(3) + strain), scale_atoms=True))

    by_position = np.zeros_like(forces)
    for index in np.ndindex(forces.shape):
        by_position[index] = -(shifted(index, 1e-5) - shifted(index, -1e-5)) / 2e-5
    assert relative(forces, by_position) <= 1e-7

    by_strain = np.zeros((3, 3))
    for index in np.ndindex(3, 3):
        by_strain[index] = (strained(index, 1e-5) - strained(index, -1e-5)) / 2e-5
    by_strain /= atoms.get_volume()
    assert relative(stress, full_3x3_to_voigt_6_stress(by_strain)) <= 1e-7


def test_torques_turn_downhill(fitted):
    model, frames, _ = fitted
    atoms = frames[0]
    atoms.calc = RidgeCalculator(model)
    before = atoms.get_potential_energy()
    torques = atoms.calc.results["torques"]

    atoms.arrays["c_q"][0] += 0.1
    assert atoms.get_potential_energy() != before  # ASE alone would give back the old one
    atoms.arrays["c_q"][0] -= 0.1

    angle = 1e-4 / np.abs(torques).max()
    small = np.hstack([np.ones((4, 1)), 0.5 * angle * torques])
    turned = atoms.copy()
    for i, (a, b) in enumerate(zip(small, atoms.arrays["c_q"], strict=True)):
        vector = a[0] * b[1:] + b[0] * a[1:] + np.cross(a[1:], b[1:])
        turned.arrays["c_q"][i] = [a[0] * b[0] - a[1:] @ b[1:], *vector]

    gained = before - model.energies([turned])[0]
    assert gained == pytest.approx(angle * (torques**2).sum(), rel=1e-3)


def test_a_frame_may_lack_a_species_that_was_fitted():
    frames = [random_frame(4, edge=6.5, seed=seed, species=(1, 6)) for seed in range(12)]
    model = RidgeModel.fit(projection(3, cutoff=4.0), frames, np.arange(12.0))
    alone = frames[0].copy()
    alone.numbers[:] = frames[0].numbers[0]
    alone.calc = RidgeCalculator(model)

    assert len(model.species) == 2
    assert alone.get_potential_energy() == pytest.approx(model.energies([alone])[0], rel=1e-12)

    alone.numbers[0] = 99
    with pytest.raises(BadInput, match="species 99 is not among those given"):
        model.energies([alone])
