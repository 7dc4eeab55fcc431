"""What descriptors must not feel, must feel, and must do with odd input."""

import copy
import pickle
import subprocess
import sys

import numpy as np
import pytest
from ase import Atoms
from frames_for_tests import SHAPES, projection, random_frame, relative, shaped
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial.transform import Rotation

from anisweep.descriptors.kernels import loader


def rotated(frame, turn):
    """A frame turned as a whole; scipy has the real part of a quaternion last."""
    atoms = frame.copy()
    atoms.set_cell(turn.apply(frame.cell.array))
    atoms.positions = turn.apply(frame.positions)
    return reoriented(atoms, turn)


def reoriented(frame, turn):
    atoms = frame.copy()
    turned = turn * Rotation.from_quat(np.roll(frame.arrays["c_q"], -1, axis=1))
    atoms.arrays["c_q"] = np.roll(turned.as_quat(), 1, axis=1)
    return atoms


BASES = [
    ("gto", 4, None, False),
    ("gto", 9, 6, False),
    ("gto", 9, 6, True),
    ("monomial", 4, None, True),
    ("monomial", 9, 6, False),
]


@pytest.mark.parametrize(("basis", "lmax", "max_radial", "without_own"), BASES)
@given(seed=st.integers(0, 10_000), shape=st.sampled_from(sorted(SHAPES)))
@settings(max_examples=15, deadline=None, derandomize=True)
def test_the_power_spectrum_feels_no_motion_of_the_whole(basis, lmax, max_radial, without_own, seed, shape):
    frame = random_frame(seed=seed, shape=shape, species=(1, 8))
    turn = Rotation.random(random_state=seed)
    calculator = projection(lmax, basis, max_radial=max_radial, subtract_center_contribution=without_own)
    reference = calculator.power_spectrum([frame])

    moved = frame.copy()
    moved.positions += np.random.default_rng(seed).uniform(-9, 9, 3)
    inverted = frame.copy()
    inverted.positions *= -1
    other_sign = frame.copy()
    other_sign.arrays["c_q"] = -3 * frame.arrays["c_q"]
    permuted = frame[np.random.default_rng(seed).permutation(len(frame))]

    for same in (rotated(frame, turn), moved, inverted, other_sign, permuted):
        assert relative(calculator.power_spectrum([same]), reference) <= 1e-12


@pytest.mark.parametrize("shape", [name for name in SHAPES if name != "spheres"])
def test_the_power_spectrum_feels_a_rotation_of_the_orientations_alone(shape):
    frame, turn = random_frame(shape=shape), Rotation.from_euler("zyx", [0.7, -1.1, 2.3])
    calculator = projection()

    turned = calculator.power_spectrum([reoriented(frame, turn)])
    assert relative(turned, calculator.power_spectrum([frame])) > 1e-2


@pytest.mark.parametrize("shape", ["discs", "rods along x", "mixed"])
def test_revolution_about_the_own_axis_is_not_felt(shape):
    """Shapes of revolution take other loops than shapes that are almost so."""
    frame = random_frame(shape=shape)
    almost = frame.copy()
    for axis in range(3):
        almost.arrays[f"c_diameter[{axis + 1}]"] = frame.arrays[f"c_diameter[{axis + 1}]"] * (
            1 + axis * 1e-14
        )

    calculator = projection(lmax=9, max_radial=6)
    for output in ("coefficients", "power_spectrum"):
        result = calculator.describe([almost], output, per_centre=True).values
        assert relative(result, calculator.describe([frame], output, per_centre=True).values) <= 1e-11


@pytest.mark.parametrize("tilt", [0, 1e-16, 1e-14, 1e-12, 1e-10, 1e-8, 1e-4])
@pytest.mark.parametrize("shape", ["discs", "triaxial"])
def test_axes_of_neighbours_may_be_nearly_parallel(shape, tilt):
    """At the poles of Euler's angles: another rotation of the whole rounds them in another way."""
    frame = random_frame(particles=4, shape=shape)
    lean = Rotation.from_rotvec(tilt * np.array([[np.cos(i), np.sin(i), 0] for i in range(4)]))
    spin = Rotation.from_rotvec([[0, 0, 0.7 * i] for i in range(4)])
    over = Rotation.from_rotvec([[np.pi * (i % 2), 0, 0] for i in range(4)])
    quaternions = (Rotation.from_quat([0.3, 0.5, -0.2, 0.7]) * lean * over * spin).as_quat()
    frame.arrays["c_q"] = np.roll(quaternions, 1, axis=1)

    reference = projection(6).power_spectrum([frame])
    for seed in range(3):
        turned = rotated(frame, Rotation.random(random_state=seed))
        assert relative(projection(6).power_spectrum([turned]), reference) <= 1e-14


@pytest.mark.parametrize("tilt", [1e-150, 1e-160, 1e-162, 1e-200, 0])
def test_tilts_whose_squares_are_no_numbers(tilt):
    frame = random_frame(particles=2)
    frame.arrays["c_q"] = np.array([[1, 0, 0, 0], [1, tilt, tilt, 0]])
    level = frame.copy()
    level.arrays["c_q"] = np.array([[1.0, 0, 0, 0]] * 2)

    assert relative(projection(6).power_spectrum([frame]), projection(6).power_spectrum([level])) <= 1e-15


@pytest.mark.parametrize(("lmax", "max_radial"), [(0, None), (1, 0), (2, 9), (4, [0, 3, 1, 2, 0]), (12, 1)])
@pytest.mark.parametrize("basis", ["gto", "monomial"])
def test_every_level_computes_the_same(basis, lmax, max_radial, monkeypatch):
    frames = [random_frame(particles=n, species=(1, 6, 8), seed=n) for n in (1, 2, 5, 11)]
    well_conditioned = {"basis_rcond": 1e-4, "basis_tol": 1e-2}
    results = {}

    for level in loader.levels():
        monkeypatch.setenv(loader.VARIABLE, level)
        calculator = projection(lmax, basis, max_radial=max_radial, **well_conditioned)
        results[level] = [
            calculator.describe(frames, output, per_centre=True).values
            for output in ("coefficients", "power_spectrum")
        ]

    assert "portable" in results
    for values in results.values():
        for ours, other in zip(values, results["portable"], strict=True):
            assert relative(ours, other) <= 1e-13


def test_a_level_that_is_not_there_is_refused(monkeypatch):
    monkeypatch.setenv(loader.VARIABLE, "avx9")

    with pytest.raises(RuntimeError, match=r"ANISWEEP_LEVEL=avx9: this machine has portable.*choose one"):
        projection().power_spectrum([random_frame()])


def test_the_power_spectrum_is_the_product_of_the_coefficients():
    calculator = projection(species := 3, max_radial=2)
    frames = [random_frame(species=(1, 6, 8), seed=seed) for seed in range(3)]
    coefficients = calculator.describe(frames, "coefficients", per_centre=True)
    spectrum = calculator.describe(frames, per_centre=True)

    for l in range(4):
        c = coefficients.of_degree(l).reshape(-1, 2 * l + 1, 3 * species)
        expected = (-1) ** l / np.sqrt(2 * l + 1) * np.einsum("ima,imb->iab", c, c)
        assert relative(spectrum.of_degree(l), expected.reshape(len(c), -1)) <= 1e-13

    mean = calculator.power_spectrum(frames)
    by_hand = [spectrum.values[spectrum.frame == i].mean(axis=0) for i in range(3)]
    assert relative(mean, np.array(by_hand)) <= 1e-14


def test_columns_name_every_value_and_pairs_select_them():
    described = projection(2, max_radial=1).describe([random_frame(species=(1, 8))])
    columns = described.columns

    assert described.values.shape == (1, len(columns)) == (1, 3 * 16)
    assert columns[0].tolist() == (0, 0, 1, 0, 1, 0)
    assert columns[-1].tolist() == (2, 0, 8, 1, 8, 1)

    mixed = (columns["species_a"] == 1) & (columns["species_b"] == 8)
    assert np.array_equal(described.of_pairs([(1, 8)]), described.values[:, mixed])
    with pytest.raises(ValueError, match=r"no neighbour of species 5: there are \[1, 8\]"):
        described.of_pairs([(1, 5)])


def test_threads_do_not_change_a_bit():
    frames = [random_frame(particles=n % 7, seed=n) for n in range(60)]
    large = random_frame(particles=1200, edge=30.0)

    for batch in (frames, [large], [*frames, large]):
        one, three = projection().power_spectrum(batch), projection(threads=3).power_spectrum(batch)
        assert np.array_equal(one, three)


def test_a_large_cell_is_what_its_repetition_says():
    """Bins against images: the same crystal as one small cell and as 6 x 6 x 6 of it."""
    frame = random_frame(particles=3, edge=4.0)
    frame.positions += 50.0

    once = projection().power_spectrum([frame])
    assert relative(projection().power_spectrum([frame.repeat(6)]), once) <= 1e-12


@pytest.mark.parametrize("pbc", [(False, False, False), (True, False, False), (False, True, True)])
def test_axes_that_are_not_periodic_have_no_images(pbc):
    frame = random_frame(particles=30, edge=12.0)
    frame.pbc = pbc
    wide = frame.copy()
    wide.set_cell([v * (1 if p else 40) for v, p in zip(frame.cell.array, pbc, strict=True)])
    wide.pbc = True
    bare = frame.copy()
    bare.set_cell([v * p for v, p in zip(frame.cell.array, pbc, strict=True)])

    reference = projection().power_spectrum([wide])
    assert relative(projection().power_spectrum([frame]), reference) <= 1e-12
    assert relative(projection().power_spectrum([bare]), reference) <= 1e-12


def test_isolated_particles_and_empty_frames_are_zero_or_dropped():
    pair = random_frame(particles=2)
    alone = shaped([Atoms("H", positions=[[0, 0, 0]])], "discs")[0]
    alone.set_array("c_q", np.array([[1.0, 0, 0, 0]]))
    frames = [alone, pair, pair[:0], alone]

    kept = projection(subtract_center_contribution=True).power_spectrum(frames)
    assert kept.shape[0] == 4
    assert not kept[[0, 2, 3]].any()
    assert kept[1].any()

    dropping = projection(subtract_center_contribution=True, drop_isolated=True)
    assert np.array_equal(dropping.power_spectrum(frames), kept[1:2])
    assert dropping.describe(frames, per_centre=True).frame.tolist() == [1, 1]


def test_species_that_never_meet_have_columns_unless_isolated_ones_are_dropped():
    frame = random_frame(particles=2, species=(1, 8), edge=100.0)
    frame.positions[:] = [[0, 0, 0], [50, 0, 0]]

    assert projection().describe([frame], per_centre=True).met(1).tolist() == [True, True]
    dropping = projection(drop_isolated=True)
    assert dropping.describe([frame], per_centre=True).met(1).tolist() == [True, False]


@pytest.mark.parametrize("copied", [copy.deepcopy, lambda thing: pickle.loads(pickle.dumps(thing))])
def test_what_was_used_can_be_copied_and_sent_to_another_process(copied):
    calculator = projection()
    expected = calculator.power_spectrum([random_frame()])

    other = copied(calculator)
    del calculator
    assert (other.power_spectrum([random_frame()]) == expected).all()


def test_hyperparameters_stay_what_they_are():
    calculator = projection(4, cutoff=5.0)
    assert (calculator.max_angular, calculator.cutoff_radius, calculator.radial_basis_name) == (4, 5.0, "gto")
    with pytest.raises(AttributeError):
        calculator.cutoff_radius = 3.0


def test_coinciding_particles_count_twice():
    frame = random_frame(particles=1, shape="discs")
    twice = frame + frame
    calculator = projection(cutoff=3.0)

    expected = 4 * calculator.power_spectrum([frame])
    assert relative(calculator.power_spectrum([twice]), expected) <= 1e-13


def test_lists_integers_and_slices_are_numbers_too():
    frame = random_frame(particles=4, shape="discs")
    odd = frame.copy()
    odd.arrays["c_diameter[1]"] = [3, 3, 3, 3]
    odd.arrays["c_diameter[3]"] = np.ones(4, dtype=np.int32)
    odd.arrays["c_q"] = np.repeat(frame.arrays["c_q"], 2, axis=0)[::2]
    odd.arrays["positions"] = np.asfortranarray(frame.positions)

    assert np.array_equal(projection().power_spectrum([odd]), projection().power_spectrum([frame]))


def test_matrices_in_nine_columns_are_matrices_too():
    """As ASE reads them from XYZ."""
    frame = random_frame()
    turns = Rotation.from_quat(frame.arrays["c_q"], scalar_first=True).as_matrix()
    calculator = projection(rotation_key="axes", rotation_type="matrix")
    frame.set_array("axes", turns)
    expected = calculator.power_spectrum([frame])

    frame.arrays["axes"] = turns.reshape(-1, 9)
    assert (calculator.power_spectrum([frame]) == expected).all()


def test_matrices_and_quaternions_are_the_same_orientations():
    frame = random_frame()
    turn = Rotation.from_quat(np.roll(frame.arrays["c_q"], -1, axis=1))
    frame.set_array("axes", turn.as_matrix())

    by_matrix = projection(rotation_key="axes", rotation_type="matrix")
    assert relative(by_matrix.power_spectrum([frame]), projection().power_spectrum([frame])) <= 1e-13


def test_the_descriptors_import_neither_torch_nor_anisoap_nor_metatensor():
    script = (
        "import sys, anisweep.descriptors\n"
        "print(sorted({'torch', 'anisoap', 'metatensor', 'scipy', 'pydantic', 'pandas'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_a_hundred_thousand_neighbours():
    """A crystal so dense that its density is even: only l = 0 is left, and that is an integral."""
    frame = random_frame(particles=1, shape="spheres")
    frame.set_cell(np.eye(3) * 0.15)
    calculator = projection(2, cutoff=5.0, max_radial=0)
    coefficients = calculator.describe([frame], "coefficients", per_centre=True)

    assert abs(coefficients.of_degree(1)).max() <= 1e-10 * coefficients.values.max()

    coarse = frame.copy()
    coarse.set_cell(np.eye(3) * 0.3)
    fewer = calculator.describe([coarse], "coefficients", per_centre=True)
    assert coefficients.values[0, 0] == pytest.approx(8 * fewer.values[0, 0], rel=1e-2)
