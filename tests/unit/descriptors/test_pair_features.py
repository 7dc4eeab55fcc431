"""Pair features: what they are of the power spectrum, sums over neighbours, and their derivatives."""

import numpy as np
import pytest
from frames_for_tests import SHAPES, projection, random_frame, relative
from scipy.spatial.transform import Rotation
from test_gradients import cutoff_without_jumps
from test_tangent import (
    STEP,
    alone,
    along,
    assert_products_are_equal,
    directions,
    fourth_order,
    without_images,
)

from anisweep.descriptors import BadInput, gradients, jacobian, tangent
from anisweep.descriptors.kernels import loader

OUTPUT = "pair_features"
ALONE = 99

BASES = [("gto", 4, 2), ("gto", 6, None), ("monomial", 3, 1), ("gto", 5, [1, 2, 0, 2, 1, 0])]


def cluster(particles=5, seed=0, shape="mixed"):
    """Particles without images that see each other."""
    return without_images(random_frame(particles, (1, 6), seed=seed, shape=shape))


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize(("basis", "lmax", "max_radial"), BASES)
def test_they_are_elements_of_the_power_spectrum_where_the_centre_has_a_species_of_its_own(
    shape, basis, lmax, max_radial
):
    frame = cluster(shape=shape)
    calculator = projection(lmax, basis, 8.0, max_radial=max_radial, cutoff_smoothing=0.5)
    pairs = calculator.describe([frame], OUTPUT, per_centre=True)

    for centre in range(len(frame)):
        other = frame.copy()
        other.numbers[centre] = ALONE
        spectrum = calculator.describe([other], per_centre=True, species=[1, 6, ALONE])
        columns = spectrum.columns
        wanted = (
            (columns["species_a"] == ALONE)
            & (columns["n_a"] == 0)
            & (columns["species_b"] != ALONE)
            & (columns["l"] % 2 == 0)
        )
        scale = np.abs(spectrum.values[centre]).max()
        assert pairs.values[centre].any()
        assert np.abs(pairs.values[centre] - spectrum.values[centre][wanted]).max() <= 1e-14 * scale
        assert pairs.columns["l"].tolist() == columns["l"][wanted].tolist()
        assert pairs.columns["species_a"].tolist() == columns["species_b"][wanted].tolist()
        assert pairs.columns["n_a"].tolist() == columns["n_b"][wanted].tolist()


def test_they_are_a_sum_over_neighbours():
    frame = cluster(6)
    calculator = projection(6, max_radial=3, cutoff=8.0)
    whole = calculator.describe([frame], OUTPUT, per_centre=True).values
    parts = [calculator.describe([frame[[0, j]]], OUTPUT, True, [1, 6]).values[0] for j in range(1, 6)]
    assert relative(sum(parts), whole[0]) <= 1e-13


def test_images_of_the_centre_are_neighbours_and_its_own_density_is_none():
    cell = random_frame(2, (1, 6), edge=4.5)
    calculator = projection(4, max_radial=2, cutoff=5.0)
    repeated = cell.repeat((2, 1, 1))
    one, two = (calculator.describe([frame], OUTPUT, True).values for frame in (cell, repeated))
    assert relative(two[:2], one) <= 1e-12

    without = projection(4, max_radial=2, cutoff=5.0, subtract_center_contribution=True)
    assert np.array_equal(without.describe([cell], OUTPUT, True).values, one)


@pytest.mark.parametrize("shape", ["mixed", "triaxial"])
def test_they_do_not_feel_a_turn_of_the_whole_but_one_of_a_particle(shape):
    frame, turn = random_frame(6, (1, 6), shape=shape), Rotation.from_euler("zyx", [0.7, -1.1, 2.3])
    turned = frame.copy()
    turned.set_cell(turn.apply(frame.cell.array))
    turned.positions = turn.apply(frame.positions)
    orientations = turn * Rotation.from_quat(frame.arrays["c_q"], scalar_first=True)
    only = frame.copy()
    only.arrays["c_q"] = turned.arrays["c_q"] = orientations.as_quat(scalar_first=True)

    calculator = projection(9, max_radial=6)
    before, after, wrong = (calculator.describe([f], OUTPUT).values for f in (frame, turned, only))
    assert relative(after, before) <= 1e-12
    assert relative(wrong, before) > 1e-2


CASES = [
    *[(shape, "gto", 4, 2, False) for shape in SHAPES],
    ("mixed", "monomial", 3, 1, False),
    ("mixed", "gto", 6, None, True),
    ("triaxial", "gto", 5, [1, 2, 0, 2, 1, 0], True),
]


@pytest.mark.parametrize(("shape", "basis", "lmax", "max_radial", "per_centre"), CASES)
@pytest.mark.parametrize("kind", ["positions", "orientations", "strain"])
def test_differences_approach_their_derivatives(kind, shape, basis, lmax, max_radial, per_centre):
    frames = [random_frame(n, (1, 6), seed=n, shape=shape) for n in (3, 2)]
    frames[1] = without_images(frames[1])
    calculator = projection(lmax, basis, cutoff_without_jumps(frames), max_radial=max_radial)
    kinds = dict(zip(["positions", "orientations", "strain"], alone(frames), strict=True))

    def features(size):
        return calculator.describe(along(frames, *kinds[kind], size), OUTPUT, per_centre).values

    changes = tangent(calculator, frames, *kinds[kind], OUTPUT, per_centre)
    expected = fourth_order(features, STEP / 10)
    assert np.abs(changes - expected).max() <= 1e-10 * max(np.abs(features(0)).max(), np.abs(expected).max())


@pytest.mark.parametrize("periodic", [True, False])
@pytest.mark.parametrize("smoothing", [None, 1.0])
@pytest.mark.parametrize(("shape", "basis", "lmax", "max_radial", "per_centre"), CASES)
def test_ways_forward_backward_and_by_particles_agree(
    shape, basis, lmax, max_radial, per_centre, periodic, smoothing
):
    frames = [random_frame(n, (1, 6), seed=n, shape=shape) for n in (3, 5, 1)]
    frames = frames if periodic else [without_images(frame) for frame in frames]
    calculator = projection(lmax, basis, max_radial=max_radial, cutoff_smoothing=smoothing)
    direction = directions(frames)

    changes = tangent(calculator, frames, *direction, OUTPUT, per_centre)
    features, back = gradients(calculator, frames, changes, OUTPUT, per_centre)
    assert_products_are_equal(changes * changes, back, direction)
    assert np.array_equal(features, calculator.describe(frames, OUTPUT, per_centre).values)

    rows = jacobian(calculator, frames, None, True, OUTPUT, per_centre)
    starts = np.array([0, 3, 8])
    particles = starts[rows.frame] + rows.particle
    of = starts[rows.frame] + rows.centre if per_centre else rows.frame
    vectors = np.concatenate([direction[0][particles], direction[1][particles]], axis=1)
    frame = np.repeat([0, 1, 2], [3, 5, 1]) if per_centre else np.arange(3)
    added = np.einsum("rab,rabf->rf", direction[2][frame], rows.strain)
    np.add.at(added, of, np.einsum("rk,rkf->rf", vectors, rows.values))
    assert relative(added, changes) <= 1e-12


@pytest.mark.parametrize("shape", SHAPES)
def test_derivatives_by_diameters_are_differences(shape):
    """The centre's own diameters count, too."""
    frames = [random_frame(3, (1, 6), shape=shape)]
    calculator = projection(4, max_radial=2, cutoff=cutoff_without_jumps(frames))
    cotangent = np.random.default_rng(0).normal(size=calculator.describe(frames, OUTPUT).values.shape)
    _, back = gradients(calculator, frames, cotangent, OUTPUT, diameters=True)

    for particle, axis in np.ndindex(3, 3):

        def energy(size, particle=particle, axis=axis):
            changed = frames[0].copy()
            changed.arrays[f"c_diameter[{axis + 1}]"][particle] += size
            return (calculator.describe([changed], OUTPUT).values * cotangent).sum()

        scale = np.abs(back.diameters).max()
        assert abs(fourth_order(energy, STEP) - back.diameters[particle, axis]) <= 1e-8 * scale


def test_threads_and_levels_agree(monkeypatch):
    frames = [random_frame(n, (1, 6), seed=n) for n in (1, 4, 9, 2)]
    reference = projection(6).describe(frames, OUTPUT).values
    assert np.array_equal(projection(6, threads=3).describe(frames, OUTPUT).values, reference)

    for level in loader.levels():
        monkeypatch.setenv(loader.VARIABLE, level)
        assert relative(projection(6).describe(frames, OUTPUT).values, reference) <= 1e-13


def test_their_columns_have_no_pairs_of_species():
    described = projection().describe([random_frame(4, (1, 6))], OUTPUT)
    assert described.values.shape == (1, 3 * 2 * 3 - 6)
    assert described.of_degree(1).shape == (1, 0)
    with pytest.raises(BadInput, match="species pairs are of the power spectrum"):
        described.of_pairs([(1, 6)])
