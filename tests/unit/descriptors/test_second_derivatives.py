"""Second derivatives in Torch are those of the first ones, at every orientation."""

from dataclasses import replace

import numpy as np
import pytest
from frames_for_tests import projection, random_frame, relative
from hypothesis import given, settings
from orientations_for_tests import SPECIAL, TILTS, orientations

torch = pytest.importorskip("torch", reason="no torch")

from anisweep.descriptors.torch_backend import TorchProjection, geometry, rotation  # noqa: E402

pytestmark = pytest.mark.usefixtures("one_thread")

TENSORS = ("positions", "cells", "orientations", "diameters")
STEP = 3e-5

BASES = {"gto": {}, "monomial": {"basis_rcond": 1e-10, "basis_tol": 1e-2}}
CASES = [
    (basis, output, smoothing)
    for basis in BASES
    for output in ("power_spectrum_of", "coefficients_of")
    for smoothing in (None, 1.0)
]


class Energy:
    """A function of the four tensors of two triaxial particles, that is not linear in the features."""

    def __init__(self, quaternions, basis="gto", output="power_spectrum_of", smoothing=None, **more):
        settings = {"max_radial": 1, "cutoff_smoothing": smoothing, **BASES[basis], **more}
        frame = random_frame(2, (1, 6), seed=3, shape="triaxial")
        frame.arrays["c_q"] = np.array(quaternions, dtype=float)
        self.features = getattr(projection(2, basis, kind=TorchProjection, **settings), output)
        self.calculator = self.features.__self__
        self.batch = self.calculator.batch([frame])
        self.tensors = [getattr(self.batch, name) for name in TENSORS]

    def __call__(self, tensors):
        features = self.features(replace(self.batch, **dict(zip(TENSORS, tensors, strict=True))))
        weights = torch.linspace(-1, 1, features.numel(), dtype=torch.float64).reshape(features.shape)
        return (weights * features + features**2).sum()

    def directions(self, seed=0):
        """A direction for each tensor, as long as the tensor."""
        generator = np.random.default_rng(seed)
        directions = [torch.tensor(generator.normal(size=tensor.shape)) for tensor in self.tensors]
        length = self.tensors[2].norm(dim=1, keepdim=True)
        return [part * length if part.shape == (2, 4) else part for part in directions]

    def along(self, order, directions, step=0.0):
        """The derivatives of as many orders, all but the last of them along the directions."""
        leaves = [
            (tensor + step * direction).requires_grad_()
            for tensor, direction in zip(self.tensors, directions, strict=True)
        ]
        value = self(leaves)
        for _ in range(order):
            first = torch.autograd.grad(value, leaves, create_graph=True)
            value = sum((d * g).sum() for d, g in zip(directions, first, strict=True))
        return [part.detach() for part in first]

    def differences(self, order, directions):
        """Central differences of the derivatives of as many orders."""
        up, down = (self.along(order, directions, step) for step in (STEP, -STEP))
        return [(a - b) / (2 * STEP) for a, b in zip(up, down, strict=True)]


def assert_alike(ours, expected, bound):
    for one, other in zip(ours, expected, strict=True):
        assert torch.isfinite(one).all()
        assert relative(one.numpy(), other.numpy()) <= bound


@pytest.mark.parametrize(("basis", "output", "smoothing"), CASES)
@given(orientations)
@settings(max_examples=15)
def test_second_derivatives_are_differences_of_the_first(basis, output, smoothing, quaternions):
    """By positions, cells, orientations and diameters, and mixed: along a direction of all of them."""
    energy = Energy(quaternions, basis, output, smoothing)
    directions = energy.directions()
    assert_alike(energy.along(2, directions), energy.differences(1, directions), 1e-6)


@pytest.mark.parametrize("tilt", TILTS)
@pytest.mark.parametrize("name", SPECIAL)
def test_second_derivatives_at_every_special_orientation(name, tilt):
    tilted = np.array(SPECIAL[name], dtype=float) + tilt * np.array([0.3, 1.0, -0.5, 0.2])
    energy = Energy([tilted, SPECIAL["identity"]])
    directions = energy.directions(1)
    assert_alike(energy.along(2, directions), energy.differences(1, directions), 1e-6)


UPRIGHT = [SPECIAL["identity"], SPECIAL["half a turn about x"]]


@pytest.mark.parametrize(
    "settings", [{"max_radial": 3}, {"memory": 1.0}, {"subtract_center_contribution": True}]
)
def test_second_derivatives_of_other_bases_and_in_pieces(settings):
    energy = Energy(UPRIGHT, smoothing=1.0, **settings)
    directions = energy.directions()
    assert_alike(energy.along(2, directions), energy.differences(1, directions), 1e-6)


@given(orientations)
@settings(max_examples=15)
def test_third_derivatives_are_differences_of_the_second(quaternions):
    energy = Energy(quaternions)
    directions = energy.directions()
    assert_alike(energy.along(3, directions), energy.differences(2, directions), 1e-6)


@pytest.mark.parametrize("output", ["power_spectrum_of", "coefficients_of"])
@given(orientations)
@settings(max_examples=15)
def test_second_derivatives_in_float32_are_those_in_float64(output, quaternions):
    single, double = (Energy(quaternions, output=output, precision=name) for name in ("fp32", "fp64"))
    directions = double.directions()
    assert_alike(single.along(2, directions), double.along(2, directions), 1e-5)


@given(orientations)
@settings(max_examples=15)
def test_second_derivatives_by_matrices_are_those_along_a_turn(quaternions):
    """R exp([t w]) has the derivatives R' = R [w] and R'' = R [w]^2, and E has E'' R' R' + E' R''."""
    energy = Energy(quaternions)
    turns = geometry.matrices_of(energy.tensors[2])
    spin = rotation.cross(torch.tensor(np.random.default_rng(0).normal(size=(2, 3))))
    parts = list(energy.tensors)

    def slopes(angle, order):
        """The derivatives by each particle's angle, and by all of them at once."""
        turned = (turns @ torch.linalg.matrix_exp(angle * spin)).requires_grad_()
        (first,) = torch.autograd.grad(energy([*parts[:2], turned, parts[3]]), turned, create_graph=True)
        value = (first * (turned.detach() @ spin)).sum((1, 2))
        if order == 1:
            return value.detach()
        (second,) = torch.autograd.grad(value.sum(), turned)
        return (second * (turned @ spin) + first * (turned @ spin @ spin)).sum((1, 2)).detach()

    expected = (slopes(STEP, 1) - slopes(-STEP, 1)) / (2 * STEP)
    assert_alike([slopes(0.0, 2)], [expected], 1e-6)


@pytest.mark.parametrize("method", ["power_spectrum_of", "coefficients_of"])
def test_gradgradcheck_where_axes_are_those_of_space(method):
    energy = Energy(UPRIGHT, output=method)

    def scaled(*tensors):
        return 100 * energy(tensors)

    leaves = [tensor.clone().requires_grad_() for tensor in energy.tensors]
    assert torch.autograd.gradgradcheck(scaled, leaves, eps=1e-5, atol=1e-7, rtol=1e-5)


def test_a_loss_of_forces_and_torques_teaches_orientations():
    """One step down the gradient by quaternions that began as the identity makes the loss smaller."""
    energy = Energy([SPECIAL["identity"]] * 2)
    positions, cells, quaternions, diameters = (tensor.requires_grad_() for tensor in energy.tensors)

    def loss(quaternions):
        value = energy([positions, cells, quaternions, diameters])
        return sum(
            (g**2).sum() for g in torch.autograd.grad(value, (positions, quaternions), create_graph=True)
        )

    before = loss(quaternions)
    (slope,) = torch.autograd.grad(before, quaternions)
    after = loss((quaternions - 1e-3 * slope / slope.norm()).detach().requires_grad_())
    assert slope.norm() > 0
    assert after < before
