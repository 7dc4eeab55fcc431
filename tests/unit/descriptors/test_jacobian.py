"""Rows of the Jacobian: what goes backwards with one-hot cotangents, for some of the particles."""

import numpy as np
import pytest
from frames_for_tests import SHAPES, projection, random_frame, relative
from test_gradients import CASES, unusual_frames
from test_tangent import directions, without_images

from anisweep.descriptors import BadInput, gradients, jacobian, tangent
from anisweep.descriptors.kernels import loader


def one_hot(calculator, frames, rows, feature, output, per_centre):
    """The derivatives of one feature of one row, by all particles."""
    width = calculator.describe(frames[:1], output, per_centre, species=[1, 6]).values.shape[1]
    cotangent = np.zeros((rows, width))
    cotangent[feature] = 1
    return gradients(calculator, frames, cotangent, output, per_centre, species=[1, 6])[1]


@pytest.mark.parametrize("smoothing", [None, 1.0])
@pytest.mark.parametrize("periodic", [True, False])
@pytest.mark.parametrize(("shape", "basis", "lmax", "max_radial", "output", "per_centre"), CASES)
def test_rows_are_the_way_backwards_with_one_hot(
    shape, basis, lmax, max_radial, output, per_centre, periodic, smoothing
):
    frames = [random_frame(n, (1, 6), seed=n, shape=shape) for n in (3, 5, 1)]
    frames = frames if periodic else [without_images(frame) for frame in frames]
    calculator = projection(lmax, basis, max_radial=max_radial, cutoff_smoothing=smoothing)
    rows = jacobian(calculator, frames, None, True, output, per_centre, species=[1, 6])
    count, width = (9 if per_centre else 3), rows.values.shape[2]
    starts = np.array([0, 3, 8])

    features = np.random.default_rng(0).choice(width, min(width, 12), replace=False)
    for row, feature in zip(np.resize(np.arange(count), len(features)), features, strict=True):
        back = one_hot(calculator, frames, count, (row, feature), output, per_centre)
        mine = starts[rows.frame] + rows.centre == row if per_centre else rows.frame == row
        particles = (starts[rows.frame] + rows.particle)[mine]
        scale = np.abs(rows.values).max()

        for found, expected in ((rows.positions, back.positions), (rows.rotations, back.rotations)):
            dense = np.zeros((9, 3))
            dense[particles] = found[mine][:, :, feature]
            assert np.abs(dense - expected).max() <= 1e-12 * scale
        frame = rows.frame[mine][0]
        by_strain = np.zeros((3, 3, 3))
        by_strain[frame] = rows.strain[row, :, :, feature]
        assert np.abs(by_strain - back.strain).max() <= 1e-12 * np.abs(rows.strain).max()


@pytest.mark.parametrize(("output", "per_centre"), [("power_spectrum", False), ("coefficients", True)])
@pytest.mark.parametrize("shape", SHAPES)
def test_chosen_particles_have_the_rows_that_they_have_among_all(shape, output, per_centre):
    frames = [random_frame(n, (1, 6), seed=n, shape=shape) for n in (4, 1, 5, 2)]
    chosen = [[3, 0], [], np.array([2]), (1,)]
    some = jacobian(projection(), frames, chosen, output=output, per_centre=per_centre)
    every = jacobian(projection(), frames, output=output, per_centre=per_centre)

    places = {place: i for i, place in enumerate(zip(every.frame, every.particle, every.centre, strict=True))}
    same = [places[place] for place in zip(some.frame, some.particle, some.centre, strict=True)]
    assert list(dict.fromkeys(zip(some.frame, some.particle, strict=True))) == [
        (0, 3),
        (0, 0),
        (2, 2),
        (3, 1),
    ]
    assert len(some.values) == ((4 + 4 + 5 + 2) if per_centre else 4)
    assert np.abs(some.values - every.values[same]).max() <= 1e-14 * np.abs(every.values).max()


@pytest.mark.parametrize(("lmax", "max_radial", "basis"), [(6, None, "gto"), (4, 2, "monomial")])
def test_large_and_unusual_frames(lmax, max_radial, basis):
    """With more centres than a block, a segment and a lane hold, and rows that add up to changes."""
    frames = unusual_frames()
    calculator = projection(lmax, basis, 4.5, max_radial=max_radial, subtract_center_contribution=True)
    rows = jacobian(calculator, frames, [range(0, 600, 7), [], range(12), [1]])
    displacements, turns, _ = directions(frames)
    starts = np.cumsum([0, *map(len, frames)])[:-1]

    particles = starts[rows.frame] + rows.particle
    vectors = np.concatenate([displacements[particles], turns[particles]], axis=1)
    changes = np.zeros((4, rows.values.shape[2]))
    np.add.at(changes, rows.frame, np.einsum("rk,rkf->rf", vectors, rows.values))

    still = np.setdiff1d(np.arange(len(displacements)), particles)
    displacements[still] = turns[still] = 0
    assert relative(changes, tangent(calculator, frames, displacements, turns)) <= 1e-12


@pytest.mark.parametrize("output", ["power_spectrum", "coefficients"])
def test_threads_and_levels_agree(output, monkeypatch):
    frames = [random_frame(n, (1, 6), seed=n) for n in (1, 4, 9, 2)]
    reference = jacobian(projection(), frames, output=output).values

    assert relative(jacobian(projection(threads=3), frames, output=output).values, reference) <= 1e-14
    for level in loader.levels():
        monkeypatch.setenv(loader.VARIABLE, level)
        assert relative(jacobian(projection(), frames, output=output).values, reference) <= 1e-12


@pytest.mark.parametrize(("lmax", "max_radial"), [(3, 0), (5, None), (7, None)])
def test_nothing_is_read_beyond_what_was_written(lmax, max_radial):
    """Memory that was freed holds NaN, which zero times it would not hide."""
    frames = [random_frame(4)]

    for seed in range(50):
        sizes = np.random.default_rng(seed).integers(1, 9000, 600)
        _ = [np.full(size, np.nan) for size in sizes]
        del _
        assert np.isfinite(jacobian(projection(lmax, max_radial=max_radial), frames, [[0, 2]]).values).all()


WRONG = [
    ([[0], [2]], "frame 1, particle 2: there is none, since the frame has 2, numbered from 0 on"),
    ([[-1], []], "frame 0, particle -1: there is none, since the frame has 3"),
    ([[0, 1, 0], []], "frame 0, particle 0: it is chosen more than once"),
    ([[0]], "lists of places, one for each frame, 2 in all: 1 came"),
    (3, "lists of places, one for each frame, 2 in all, not 3"),
    ([0, 1], "frame 0: its particles must be a list of integers, not 0"),
    ([[0.5], []], r"frame 0: its particles must be a list of integers, not \[0.5\]"),
    ([[], [True, False]], "frame 1: its particles must be a list of integers"),
    ([[], [2**70]], "frame 1: its particles must be a list of integers"),
    ([[], [float("nan")]], "frame 1: its particles must be a list of integers"),
    ([[], [[0], [1, 2]]], "frame 1: its particles must be a list of integers"),
    ([np.ma.masked_equal([0, 1], 1), []], r"particles of frame 0 is masked at \[1\]"),
]


@pytest.mark.parametrize(("particles", "message"), WRONG)
def test_particles_that_make_no_sense_are_refused(particles, message):
    frames = [random_frame(n, seed=n) for n in (3, 2)]
    with pytest.raises(BadInput, match=message):
        jacobian(projection(), frames, particles)


def test_nothing_chosen_is_no_record():
    frames = [random_frame(n, seed=n) for n in (3, 0)]
    rows = jacobian(projection(), frames, [[], []], strain=True)
    assert rows.values.shape == (0, 6, rows.strain.shape[-1])
    assert rows.strain[0].any()
    assert not rows.strain[1].any()


def test_an_output_that_does_not_exist_is_refused():
    with pytest.raises(
        BadInput, match="output must be one of coefficients, power_spectrum, pair_features, not 'spectrum'"
    ):
        jacobian(projection(), [random_frame()], output="spectrum")
