"""What single precision may lose, and what it must not."""

import numpy as np
import pytest
from frames_for_tests import SHAPES, projection, random_frame, relative
from scipy.spatial.transform import Rotation
from test_descriptors import reoriented, rotated

from anisweep.descriptors import BadInput, gradients, jacobian, tangent
from anisweep.descriptors.kernels import loader

#: lmax, max_radial, and the largest error that is allowed, relative to the largest value.
SIZES = [(6, None, 1e-6), (9, 6, 1e-5)]


def both(lmax, max_radial, basis="gto", **more):
    """The same projection in double and in single precision."""
    if basis == "monomial":
        more = {"basis_rcond": 1e-10, "basis_tol": 1e-2, **more}
    return [
        projection(lmax, basis, max_radial=max_radial, precision=precision, **more)
        for precision in ("fp64", "fp32")
    ]


@pytest.mark.parametrize(("lmax", "max_radial", "bound"), SIZES)
@pytest.mark.parametrize("basis", ["gto", "monomial"])
@pytest.mark.parametrize("shape", sorted(SHAPES))
def test_features_have_the_digits_of_single_precision(shape, basis, lmax, max_radial, bound, monkeypatch):
    frames = [random_frame(particles, (1, 8), seed=particles, shape=shape) for particles in (1, 4, 9, 20)]
    double, single = both(lmax, max_radial, basis)

    for level in loader.levels():
        monkeypatch.setenv(loader.VARIABLE, level)
        for output in ("power_spectrum", "coefficients", "pair_features"):
            found = single.describe(frames, output).values
            assert found.dtype == np.float32
            assert relative(found, double.describe(frames, output).values) <= bound


@pytest.mark.parametrize(("lmax", "max_radial"), [(6, None), (9, 6)])
@pytest.mark.parametrize("shape", sorted(SHAPES))
def test_derivatives_have_the_digits_of_single_precision(shape, lmax, max_radial, monkeypatch):
    frames = [random_frame(particles, (1, 8), seed=particles, shape=shape) for particles in (1, 4, 20)]
    double, single = both(lmax, max_radial)
    generator = np.random.default_rng(0)
    moves, turns = generator.normal(size=(2, 25, 3))
    strains = generator.normal(size=(3, 3, 3))
    cotangent = generator.normal(size=double.power_spectrum(frames).shape[1])

    _, backward = gradients(double, frames, cotangent)
    forward = tangent(double, frames, moves, turns, strains)
    rows = jacobian(double, frames, [[0], [1], [3, 4]]).values

    for level in loader.levels():
        monkeypatch.setenv(loader.VARIABLE, level)
        _, found = gradients(single, frames, cotangent)

        for name in ("positions", "strain", "rotations")[: 2 if shape == "spheres" else 3]:
            assert relative(getattr(found, name), getattr(backward, name)) <= 1e-5
        assert relative(tangent(single, frames, moves, turns, strains), forward) <= 1e-5
        assert relative(jacobian(single, frames, [[0], [1], [3, 4]]).values, rows) <= 1e-5


def test_diameters_are_derived_by_in_single_precision():
    frames = [random_frame(4, (1, 8), seed=seed) for seed in range(3)]
    double, single = both(6, None)
    cotangent = np.random.default_rng(0).normal(size=double.power_spectrum(frames).shape[1])

    _, reference = gradients(double, frames, cotangent, diameters=True)
    _, found = gradients(single, frames, cotangent, diameters=True)
    assert relative(found.diameters, reference.diameters) <= 1e-5


@pytest.mark.parametrize(("lmax", "max_radial", "bound"), SIZES)
@pytest.mark.parametrize("shape", sorted(SHAPES))
def test_no_motion_of_the_whole_is_felt_beyond_single_precision(shape, lmax, max_radial, bound):
    frame = random_frame(seed=3, shape=shape, species=(1, 8))
    turn = Rotation.random(random_state=3)
    _, single = both(lmax, max_radial)
    reference = single.power_spectrum([frame])

    moved = frame.copy()
    moved.positions += [1e3, -7.0, 0.3]
    inverted = frame.copy()
    inverted.positions *= -1
    permuted = frame[np.random.default_rng(3).permutation(len(frame))]

    for same in (rotated(frame, turn), moved, inverted, permuted):
        assert relative(single.power_spectrum([same]), reference) <= bound
    if shape != "spheres":
        assert relative(single.power_spectrum([reoriented(frame, turn)]), reference) > 1e-3


def test_a_distant_faint_neighbour_underflows_to_nothing():
    """Beyond e^-87 there is no power of two in single precision."""
    frame = random_frame(2, edge=90, shape="discs")
    frame.positions[:] = [[0, 0, 0], [0, 0, 30]]
    frame.arrays["c_q"][:] = [1, 0, 0, 0]
    frame.arrays["c_diameter[3]"][:] = 0.1
    settings = {"cutoff": 31.0, "radial_gaussian_width": 1.0}

    double, single = (projection(4, precision=precision, **settings) for precision in ("fp64", "fp32"))
    assert relative(single.power_spectrum([frame]), double.power_spectrum([frame])) <= 1e-6


def test_no_bit_depends_on_the_threads():
    frames = [random_frame(particles, seed=particles) for particles in (1, 7, 3, 30)]
    one, three = (projection(6, precision="fp32", threads=threads) for threads in (1, 3))
    assert np.array_equal(one.power_spectrum(frames), three.power_spectrum(frames))


def test_a_precision_that_does_not_exist_is_refused():
    with pytest.raises(BadInput, match=r"precision: 'fp16' is not allowed\. Allowed: fp64 or fp32"):
        projection(precision="fp16")
