"""Analytic derivatives against central differences, and what they must sum to."""

import numpy as np
import pytest
from frames_for_tests import SHAPES, projection, random_frame, relative, shaped
from hypothesis import given, settings
from orientations_for_tests import SPECIAL, TILTS, orientations
from scipy.spatial.transform import Rotation

from anisweep.descriptors import BadInput
from anisweep.descriptors.gradients import gradients
from anisweep.descriptors.kernels import loader

STEP = 1e-5
DIAMETERS = [f"c_diameter[{axis}]" for axis in (1, 2, 3)]

CASES = [
    *[(shape, "gto", 4, 2, "power_spectrum", False) for shape in SHAPES],
    ("mixed", "monomial", 3, 1, "power_spectrum", False),
    ("mixed", "gto", 6, None, "power_spectrum", True),
    ("mixed", "gto", 3, [0, 2, 1, 1], "coefficients", True),
    ("triaxial", "gto", 0, 0, "power_spectrum", False),
]


def cutoff_without_jumps(frames, wanted=5.0):
    """A cutoff near the wanted one, with no pair within 1e-3 A of it."""
    from ase.neighborlist import neighbor_list

    lengths = np.concatenate([neighbor_list("d", frame, wanted + 0.2) for frame in frames])
    candidates = wanted + np.arange(100) * 2e-3
    return next(float(c) for c in candidates if np.abs(lengths - c).min() > 1e-3)


def moved(frames, name, index, step):
    """The frames, with one number of the first of them changed."""
    changed = [frame.copy() for frame in frames]
    if name == "cell":
        cell = changed[0].cell.array.copy()
        cell[index] += step
        changed[0].set_cell(cell)
    else:
        changed[0].arrays[name][index] += step
    return changed


def differences(energy, frames, name, shape):
    """Central differences of an energy by an array of the first frame."""
    values = np.empty(shape)
    for index in np.ndindex(shape):
        up, down = (energy(moved(frames, name, index, step)) for step in (STEP, -STEP))
        values[index] = (up - down) / (2 * STEP)
    return values


@pytest.mark.parametrize(("shape", "basis", "lmax", "max_radial", "output", "per_centre"), CASES)
def test_derivatives_are_central_differences(shape, basis, lmax, max_radial, output, per_centre):
    frames = [random_frame(n, (1, 6), seed=n, shape=shape) for n in (3, 2)]
    calculator = projection(lmax, basis, cutoff_without_jumps(frames), max_radial=max_radial)
    features = calculator.describe(frames, output, per_centre).values
    cotangent = np.random.default_rng(0).normal(size=features.shape)

    def energy(changed):
        return (calculator.describe(changed, output, per_centre).values * cotangent).sum()

    by_position = differences(energy, frames, "positions", (3, 3))
    by_cell = differences(energy, frames, "cell", (3, 3))
    by_quaternion = differences(energy, frames, "c_q", (3, 4))
    by_diameter = np.stack([differences(energy, frames, name, (3,)) for name in DIAMETERS], axis=1)

    for diameters in (False, True):
        same, result = gradients(calculator, frames, cotangent, output, per_centre, diameters)
        assert relative(same, features) <= 1e-12
        assert relative(result.positions[:3], by_position) <= 1e-7
        assert relative(result.cells[0], by_cell) <= 1e-7

        if shape == "spheres":
            assert np.abs(result.quaternions).max() <= 1e-12 * np.abs(result.positions).max()
        else:
            assert relative(result.quaternions[:3], by_quaternion) <= 1e-7

    assert relative(result.diameters[:3], by_diameter) <= 1e-7


def assert_torques_are_differences(quaternions, shape, output):
    frame = random_frame(2, (1, 6), seed=3, shape=shape)
    frame.arrays["c_q"] = quaternions / np.linalg.norm(quaternions, axis=1, keepdims=True)
    calculator = projection(4, max_radial=1)
    features = calculator.describe([frame], output).values
    cotangent = np.random.default_rng(0).normal(size=features.shape)

    def energy(changed):
        return (calculator.describe(changed, output).values * cotangent).sum()

    expected = differences(energy, [frame], "c_q", (2, 4))
    for diameters in (False, True):
        _, result = gradients(calculator, [frame], cotangent, output, diameters=diameters)
        assert relative(result.quaternions, expected) <= 1e-7


@pytest.mark.parametrize("output", ["power_spectrum", "coefficients"])
@pytest.mark.parametrize("shape", ["discs", "triaxial"])
@given(orientations)
@settings(max_examples=30)
def test_torques_are_differences_at_every_orientation(shape, output, quaternions):
    assert_torques_are_differences(quaternions, shape, output)


@pytest.mark.parametrize("tilt", TILTS)
@pytest.mark.parametrize("name", SPECIAL)
def test_torques_are_differences_at_every_special_orientation(name, tilt):
    tilted = np.array(SPECIAL[name], dtype=float) + tilt * np.array([0.3, 1.0, -0.5, 0.2])
    assert_torques_are_differences(np.array([tilted, SPECIAL["identity"]]), "triaxial", "power_spectrum")


def unusual_frames():
    """One of more than a block and more than a segment, none, a slab, and particles at one place."""
    large = random_frame(600, (1, 6), edge=27.0, seed=3)
    slab = random_frame(12, (6, 1), edge=7.0, seed=4)
    slab.pbc = [True, True, False]
    coinciding = random_frame(4, (1,), seed=5)
    coinciding.positions[1] = coinciding.positions[0]
    return [large, random_frame(0), slab, coinciding]


def stepped(frames, name, steps, size):
    """The frames, each moved along its step."""
    changed = [frame.copy() for frame in frames]
    for frame, step in zip(changed, steps, strict=True):
        if name == "cell":
            frame.set_cell(frame.cell.array + size * step)
        elif name == "diameters":
            for axis, column in enumerate(DIAMETERS):
                frame.arrays[column] = frame.arrays[column] + size * step[:, axis]
        else:
            frame.arrays[name] = frame.arrays[name] + size * step
    return changed


@pytest.mark.parametrize(
    ("lmax", "max_radial", "basis", "without_own"),
    [(6, None, "gto", False), (9, 6, "gto", True), (4, 2, "monomial", True)],
)
def test_large_and_unusual_frames(lmax, max_radial, basis, without_own):
    """Along their own direction, where each wrong component counts, mixed with a random one."""
    frames = unusual_frames()
    settings = {
        "max_radial": max_radial,
        "subtract_center_contribution": without_own,
        "cutoff_smoothing": 1.0,
    }
    calculator = projection(lmax, basis, 4.5, **settings)
    cotangent = np.random.default_rng(0).normal(size=calculator.describe(frames).values.shape)
    _, result = gradients(calculator, frames, cotangent, diameters=True)
    starts = np.cumsum([len(frame) for frame in frames])[:-1]

    def energy(changed):
        return (calculator.describe(changed).values * cotangent).sum()

    def check(name, derivatives):
        total = np.concatenate([part.ravel() for part in derivatives])
        generator = np.random.default_rng(1)
        steps = [part / np.linalg.norm(total) for part in derivatives]
        steps = [step + generator.normal(size=step.shape) / np.sqrt(total.size) for step in steps]
        if name == "cell":
            steps = [step * frame.pbc[:, None] for step, frame in zip(steps, frames, strict=True)]

        up, down = (energy(stepped(frames, name, steps, size)) for size in (STEP, -STEP))
        expected = sum((step * part).sum() for step, part in zip(steps, derivatives, strict=True))
        assert abs((up - down) / (2 * STEP) - expected) <= 1e-7 * np.linalg.norm(total)

    check("positions", np.split(result.positions, starts))
    check("cell", list(result.cells))
    check("c_q", np.split(result.quaternions, starts))
    check("diameters", np.split(result.diameters, starts))

    for threads in (1, 3):
        calculator.threads = threads
        for diameters in (False, True):
            _, other = gradients(calculator, frames, cotangent, diameters=diameters)
            for name in ("positions", "rotations", "strain"):
                assert relative(getattr(other, name), getattr(result, name)) <= 1e-12


@pytest.mark.parametrize("shape", SHAPES)
def test_forces_sum_to_zero_and_torques_balance_them(shape):
    frame = random_frame(6, (1, 6), shape=shape)
    frame.pbc = False
    calculator = projection(9, max_radial=6)
    width = calculator.power_spectrum([frame]).shape[1]
    _, result = gradients(calculator, [frame], np.random.default_rng(1).normal(size=width))

    scale = np.abs(result.forces).max()
    assert np.abs(result.forces.sum(axis=0)).max() <= 1e-12 * scale
    turning = np.cross(frame.positions, result.forces) + result.torques
    assert np.abs(turning.sum(axis=0)).max() <= 1e-10 * scale * np.abs(frame.positions).max()


@pytest.mark.parametrize("shape", ["mixed", "triaxial"])
def test_forces_and_torques_turn_with_the_frame(shape):
    frame, turn = random_frame(6, (1, 6), shape=shape), Rotation.from_euler("zyx", [0.7, -1.1, 2.3])
    turned = frame.copy()
    turned.set_cell(turn.apply(frame.cell.array))
    turned.positions = turn.apply(frame.positions)
    turns = turn * Rotation.from_quat(frame.arrays["c_q"], scalar_first=True)
    turned.arrays["c_q"] = turns.as_quat(scalar_first=True)

    calculator = projection(9, max_radial=6)
    cotangent = np.random.default_rng(3).normal(size=calculator.power_spectrum([frame]).shape[1])
    (_, before), (_, after) = (gradients(calculator, [f], cotangent) for f in (frame, turned))
    assert relative(after.forces, turn.apply(before.forces)) <= 1e-10
    assert relative(after.torques, turn.apply(before.torques)) <= 1e-10


def test_the_ways_through_the_kernels_give_the_same_derivatives(monkeypatch):
    """Levels, threads, and with diameters (which takes all shapes as triaxial) or without."""
    frames = [random_frame(n, (1, 6), seed=n) for n in (1, 4, 9, 2)]
    width = projection().power_spectrum(frames).shape[1]
    cotangent = np.random.default_rng(2).normal(size=(4, width))
    _, reference = gradients(projection(), frames, cotangent)

    def check(other, bound):
        for name in ("positions", "rotations", "strain"):
            assert relative(getattr(other, name), getattr(reference, name)) <= bound

    check(gradients(projection(threads=2), frames, cotangent)[1], 1e-14)
    check(gradients(projection(), frames, cotangent, diameters=True)[1], 1e-12)
    for level in loader.levels():
        monkeypatch.setenv(loader.VARIABLE, level)
        check(gradients(projection(), frames, cotangent)[1], 1e-12)
        check(gradients(projection(), frames, cotangent, diameters=True)[1], 1e-12)


@pytest.mark.parametrize("diameters", [False, True])
@pytest.mark.parametrize(("lmax", "max_radial"), [(3, 0), (5, None), (7, None)])
def test_nothing_is_read_beyond_what_was_written(lmax, max_radial, diameters):
    """Memory that was freed holds NaN, which zero times it would not hide."""
    frames = [random_frame(4)]
    calculator = projection(lmax, max_radial=max_radial)
    cotangent = np.ones(calculator.power_spectrum(frames).shape[1])

    for seed in range(50):
        sizes = np.random.default_rng(seed).integers(1, 9000, 600)
        _ = [np.full(size, np.nan) for size in sizes]
        del _
        _, found = gradients(calculator, frames, cotangent, diameters=diameters)
        assert np.isfinite(found.rotations).all()


def test_one_cotangent_for_all_rows():
    frames = [random_frame(seed=seed) for seed in range(2)]
    cotangent = np.arange(float(projection().power_spectrum(frames).shape[1]))

    _, one = gradients(projection(), frames, cotangent)
    _, repeated = gradients(projection(), frames, np.stack([cotangent] * 2))
    assert np.array_equal(one.positions, repeated.positions)

    with pytest.raises(
        BadInput, match=r"the cotangent has shape \(7,\): it must be \(2, \d+\), as the features"
    ):
        gradients(projection(), frames, np.ones(7))

    cotangent[3] = np.nan
    with pytest.raises(BadInput, match="the cotangent is not finite in row 1"):
        gradients(projection(), frames, np.stack([np.ones_like(cotangent), cotangent]))


def test_matrices_have_rotations_but_no_quaternions():
    frame = shaped([random_frame()], "discs")[0]
    frame.set_array("axes", np.array([np.eye(3)] * len(frame)))
    calculator = projection(rotation_key="axes", rotation_type="matrix")
    _, result = gradients(calculator, [frame], np.ones(calculator.power_spectrum([frame]).shape[1]))

    assert result.rotations.any()
    with pytest.raises(
        BadInput, match="output must be one of coefficients, power_spectrum, pair_features, not 'spectrum'"
    ):
        gradients(calculator, [frame], np.ones(3), "spectrum")
    with pytest.raises(BadInput, match="given as matrices: use `rotations`"):
        _ = result.quaternions


def test_stresses_are_those_of_strained_cells_and_there_is_none_of_a_slab():
    frames = [random_frame(4, (1, 6), seed=n) for n in range(2)]
    frames[1].pbc = (True, True, False)
    calculator = projection()
    weights = np.random.default_rng(4).normal(size=calculator.power_spectrum(frames).shape[1])
    _, derivatives = gradients(calculator, frames, weights)

    def energy(strain):
        strained = frames[0].copy()
        strained.set_cell(frames[0].cell.array @ (np.eye(3) + strain), scale_atoms=True)
        return float((calculator.power_spectrum([strained]) @ weights)[0])

    expected = np.zeros((3, 3))
    for a, b in np.ndindex(3, 3):
        strain = np.zeros((3, 3))
        strain[a, b] += STEP / 2
        strain[b, a] += STEP / 2
        expected[a, b] = (energy(strain) - energy(-strain)) / (2 * STEP * frames[0].get_volume())

    assert relative(derivatives.stresses[0], expected) <= 1e-7
    assert np.isnan(derivatives.stresses[1]).all()
