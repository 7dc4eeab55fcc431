"""Directional derivatives: the transpose of those that go backwards, and what differences approach."""

import numpy as np
import pytest
from frames_for_tests import SHAPES, projection, random_frame, relative
from scipy.spatial.transform import Rotation
from test_gradients import CASES, cutoff_without_jumps, unusual_frames

from anisweep.descriptors import BadInput, gradients, tangent
from anisweep.descriptors.kernels import loader

STEP = 2e-3


def without_images(frame):
    """The same particles in no cell, and close enough that each sees others."""
    other = frame.copy()
    other.pbc = False
    other.positions *= 0.4
    return other


def directions(frames, seed=0):
    """Displacements, turns and strains at random, without symmetry."""
    generator = np.random.default_rng(seed)
    particles = sum(map(len, frames))
    shapes = (particles, 3), (particles, 3), (len(frames), 3, 3)
    return [generator.uniform(-1, 1, shape) * size for shape, size in zip(shapes, (1, 1, 0.3), strict=True)]


def along(frames, displacements, turns, strains, size):
    """The frames, so far along a direction."""
    starts, changed = np.cumsum([len(frame) for frame in frames])[:-1], []
    parts = np.split(displacements, starts), np.split(turns, starts), strains

    for frame, step, turn, strain in zip(frames, *parts, strict=True):
        stretch = np.eye(3) + size * strain
        other = frame.copy()
        other.set_cell(frame.cell.array @ stretch)
        other.positions = (frame.positions + size * step) @ stretch
        if len(frame):
            before = Rotation.from_quat(frame.arrays["c_q"], scalar_first=True)
            after = Rotation.from_rotvec(size * turn) * before
            other.arrays["c_q"] = after.as_quat(scalar_first=True)
        changed.append(other)
    return changed


def fourth_order(function, step):
    """The derivative at zero, but for terms of the fourth order."""
    near = function(step) - function(-step)
    far = function(2 * step) - function(-2 * step)
    return (8 * near - far) / (12 * step)


@pytest.mark.parametrize("smoothing", [None, 1.0])
@pytest.mark.parametrize("periodic", [True, False])
@pytest.mark.parametrize(("shape", "basis", "lmax", "max_radial", "output", "per_centre"), CASES)
def test_it_is_the_transpose_of_the_way_backwards(
    shape, basis, lmax, max_radial, output, per_centre, periodic, smoothing
):
    frames = [random_frame(n, (1, 6), seed=n, shape=shape) for n in (3, 5, 1)]
    frames = frames if periodic else [without_images(frame) for frame in frames]
    calculator = projection(lmax, basis, max_radial=max_radial, cutoff_smoothing=smoothing)

    for direction in (directions(frames), *alone(frames)):
        changes = tangent(calculator, frames, *direction, output, per_centre)
        other = np.random.default_rng(1).normal(size=changes.shape) * np.abs(changes).max()
        for cotangent in (changes, other):
            _, back = gradients(calculator, frames, cotangent, output, per_centre)
            assert_products_are_equal(cotangent * changes, back, direction)


def alone(frames):
    """Directions in which only positions, only orientations and only cells change."""
    whole = directions(frames, seed=2)
    for kept in range(3):
        yield [part * (place == kept) for place, part in enumerate(whole)]


def assert_products_are_equal(products, back, direction):
    derivatives = back.positions, back.rotations, back.strain
    terms = [(part * by).sum() for part, by in zip(direction, derivatives, strict=True)]
    assert abs(products.sum() - sum(terms)) <= 1e-12 * np.abs(products).sum()


@pytest.mark.parametrize(("shape", "basis", "lmax", "max_radial", "output", "per_centre"), CASES)
@pytest.mark.parametrize("kind", ["all", "positions", "orientations", "strain"])
def test_differences_approach_it(kind, shape, basis, lmax, max_radial, output, per_centre):
    frames = [random_frame(n, (1, 6), seed=n, shape=shape) for n in (3, 2)]
    frames[1] = without_images(frames[1])
    calculator = projection(lmax, basis, cutoff_without_jumps(frames), max_radial=max_radial)
    kinds = dict(zip(["positions", "orientations", "strain"], alone(frames), strict=True))
    direction = directions(frames) if kind == "all" else kinds[kind]

    def features(size):
        return calculator.describe(along(frames, *direction, size), output, per_centre).values

    scale = np.abs(features(0)).max()
    changes = tangent(calculator, frames, *direction, output, per_centre)
    expected = fourth_order(features, STEP / 10)
    assert np.abs(changes - expected).max() <= 1e-10 * max(scale, np.abs(expected).max())


@pytest.mark.parametrize(
    ("lmax", "max_radial", "basis"), [(6, None, "gto"), (9, 6, "gto"), (4, 2, "monomial")]
)
def test_large_and_unusual_frames(lmax, max_radial, basis):
    frames = unusual_frames()
    calculator = projection(lmax, basis, 4.5, max_radial=max_radial, subtract_center_contribution=True)
    direction = directions(frames)
    changes = tangent(calculator, frames, *direction)
    _, back = gradients(calculator, frames, changes)

    assert_products_are_equal(changes * changes, back, direction)
    assert not changes[1].any()


@pytest.mark.parametrize("output", ["power_spectrum", "coefficients"])
def test_no_bit_depends_on_the_threads_and_little_on_the_level(output, monkeypatch):
    frames = [random_frame(n, (1, 6), seed=n) for n in (1, 4, 9, 2)]
    direction = directions(frames)
    reference = tangent(projection(), frames, *direction, output)

    for threads in (2, 3):
        assert np.array_equal(tangent(projection(threads=threads), frames, *direction, output), reference)
    for level in loader.levels():
        monkeypatch.setenv(loader.VARIABLE, level)
        assert relative(tangent(projection(), frames, *direction, output), reference) <= 1e-12


@pytest.mark.parametrize("shape", SHAPES)
def test_nothing_changes_where_everything_moves_or_turns_as_one(shape):
    frames = [random_frame(6, (1, 6), shape=shape)]
    calculator = projection(9, max_radial=6)
    scale = np.abs(tangent(calculator, frames, *directions(frames))).max()
    shift, turn = (np.broadcast_to(vector, (6, 3)) for vector in ([1.0, -0.5, 0.3], [0.2, 0.7, -1.0]))
    turning = np.cross(turn[0], np.eye(3))[None]
    still = np.zeros((6, 3))

    assert np.abs(tangent(calculator, frames, shift, still)).max() <= 1e-12 * scale
    assert np.abs(tangent(calculator, frames, still, turn, turning)).max() <= 1e-12 * scale


def test_it_is_linear_in_the_direction():
    frames = [random_frame(n, (1, 6), seed=n) for n in (3, 2)]
    one, other = directions(frames, seed=1), directions(frames, seed=2)
    both = [2 * a - b for a, b in zip(one, other, strict=True)]
    expected = 2 * tangent(projection(), frames, *one) - tangent(projection(), frames, *other)

    assert relative(tangent(projection(), frames, *both), expected) <= 1e-13
    assert not tangent(projection(), frames, 0 * one[0], 0 * one[1]).any()


def test_orientations_as_matrices_and_species_that_are_named():
    frames = [random_frame(4, (6,))]
    turn = Rotation.from_quat(frames[0].arrays["c_q"], scalar_first=True)
    frames[0].set_array("axes", turn.as_matrix())
    direction = directions(frames)
    expected = tangent(projection(), frames, *direction, species=[1, 6])

    matrices = projection(rotation_key="axes", rotation_type="matrix")
    assert relative(tangent(matrices, frames, *direction, species=[1, 6]), expected) <= 1e-13
    assert expected.shape == projection().describe(frames, species=[1, 6]).values.shape
    with pytest.raises(BadInput, match="species 6 is not among those given"):
        tangent(projection(), frames, *direction, species=[1])


@pytest.mark.parametrize(("lmax", "max_radial"), [(3, 0), (5, None), (7, None)])
def test_nothing_is_read_beyond_what_was_written(lmax, max_radial):
    """Memory that was freed holds NaN, which zero times it would not hide."""
    frames = [random_frame(4)]
    direction = directions(frames)

    for seed in range(50):
        sizes = np.random.default_rng(seed).integers(1, 9000, 600)
        _ = [np.full(size, np.nan) for size in sizes]
        del _
        assert np.isfinite(tangent(projection(lmax, max_radial=max_radial), frames, *direction)).all()


def set_to(value, *place):
    def change(direction):
        direction[place[0]][place[1:]] = value

    return change


def shaped_as(place, shape):
    def change(direction):
        direction[place] = np.zeros(shape)

    return change


WRONG = [
    (set_to(np.nan, 0, 4, 1), "frame 1, particle 1: its vector in displacements is not finite"),
    (set_to(np.inf, 1, 2, 0), "frame 0, particle 2: its vector in turns is not finite"),
    (set_to(np.nan, 2, 1, 2, 2), "frame 1: its strain is not finite"),
    (shaped_as(0, (4, 3)), r"displacements have shape \(4, 3\): they must be \(5, 3\)"),
    (shaped_as(1, (5,)), r"turns have shape \(5,\): they must be \(5, 3\)"),
    (shaped_as(2, (3, 3)), r"strains have shape \(3, 3\): they must be \(2, 3, 3\), one for each frame"),
]


@pytest.mark.parametrize(("change", "message"), WRONG)
def test_directions_that_make_no_sense_are_refused(change, message):
    frames = [random_frame(n, seed=n) for n in (3, 2)]
    direction = directions(frames)
    change(direction)
    with pytest.raises(BadInput, match=message):
        tangent(projection(), frames, *direction)


@pytest.mark.parametrize(
    "displacements",
    [None, "far", [[1, 2], [3]], np.ones((5, 3)) * 1j, np.ma.masked_less(np.zeros((5, 3)), 1)],
)
def test_what_is_no_array_of_numbers_is_refused(displacements):
    frames = [random_frame(n, seed=n) for n in (3, 2)]
    with pytest.raises(BadInput, match=r"displacements (must be an array of real|is masked|have shape)"):
        tangent(projection(), frames, displacements, np.zeros((5, 3)))


def test_an_output_that_does_not_exist_is_refused():
    frames = [random_frame()]
    with pytest.raises(
        BadInput, match="output must be one of coefficients, power_spectrum, pair_features, not 'spectrum'"
    ):
        tangent(projection(), frames, *directions(frames), "spectrum")
