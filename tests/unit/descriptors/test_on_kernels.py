"""What Torch derives on a CPU comes from the kernels, and is what the steps in Torch give."""

from dataclasses import replace

import numpy as np
import pytest
from frames_for_tests import projection, random_frame, relative

torch = pytest.importorskip("torch", reason="no torch")

from anisweep.descriptors import BadInput  # noqa: E402
from anisweep.descriptors.torch_backend import TorchProjection, on_kernels  # noqa: E402

pytestmark = pytest.mark.usefixtures("one_thread")

TENSORS = ("positions", "cells", "orientations")
OUTPUTS = ("power_spectrum", "coefficients", "pair_features")


def in_torch(lmax=4, **settings):
    return projection(lmax, kind=TorchProjection, **{"cutoff_smoothing": 1.0, **settings})


def batch_of(calculator, counts=(3, 1, 4), shape="mixed"):
    frames = [random_frame(n, (1, 6), seed=n, shape=shape) for n in counts]
    frames[-1].pbc = (True, False, True)
    return calculator.batch(frames)


def leaves_of(batch):
    return [getattr(batch, name).clone().requires_grad_() for name in TENSORS]


def with_tensors(batch, tensors):
    return replace(batch, **dict(zip(TENSORS, tensors, strict=True)))


def network(features):
    torch.manual_seed(0)
    layers = (torch.nn.Linear(features, 8), torch.nn.Tanh(), torch.nn.Linear(8, 1))
    return torch.nn.Sequential(*layers).double()


def loss(calculator, batch, model, output, per_centre=True, leaves=None):
    """Of forces, torques and derivatives by cells, each with weights of its own."""
    leaves = leaves or leaves_of(batch)
    features = getattr(calculator, f"{output}_of")(with_tensors(batch, leaves), per_centre)
    energy = model(20 * features).sum()
    slopes = torch.autograd.grad(energy, leaves, create_graph=True)
    return sum(((slope - 0.01) ** 2).sum() * factor for slope, factor in zip(slopes, (1, 2, 3), strict=True))


@pytest.mark.parametrize(
    ("shape", "output", "per_centre"),
    [("mixed", output, True) for output in OUTPUTS]
    + [("spheres", "power_spectrum", False), ("triaxial", "pair_features", False)],
)
def test_loss_and_derivatives_by_weights_are_those_of_torch(monkeypatch, shape, output, per_centre):
    calculator = in_torch(3)
    batch = batch_of(calculator, shape=shape)
    with torch.no_grad():
        model = network(getattr(calculator, f"{output}_of")(batch, True).shape[1])

    def found():
        value = loss(calculator, batch, model, output, per_centre)
        # The last bias moves no force.
        return [value.detach(), *torch.autograd.grad(value, list(model.parameters())[:-1])]

    ours = found()
    monkeypatch.setattr(on_kernels, "can_derive", lambda _: False)
    for one, other in zip(ours, found(), strict=True):
        assert relative(one.numpy(), other.numpy()) <= 1e-10


def test_the_weights_need_no_steps_in_torch(monkeypatch):
    calculator = in_torch()
    batch = batch_of(calculator)
    model = network(calculator.features([random_frame()], species=(1, 6)).shape[1])
    monkeypatch.setattr(TorchProjection, "_in_torch", None)

    value = loss(calculator, batch, model, "power_spectrum")
    value.backward(inputs=list(model.parameters())[:-1])
    assert model[0].weight.grad.any()


@pytest.mark.parametrize("output", OUTPUTS)
def test_a_loss_of_forces_is_derived_by_the_geometry_too(monkeypatch, output):
    """By positions, cells and orientations twice: what backward() without inputs asks for."""
    calculator = in_torch(2)
    batch = batch_of(calculator)
    model = network(getattr(calculator, f"{output}_of")(batch, True).shape[1])
    found = []

    for _ in range(2):
        model.zero_grad()
        leaves = leaves_of(batch)
        loss(calculator, batch, model, output, leaves=leaves).backward()
        found.append([each.grad.numpy() for each in (*leaves, model[0].weight)])
        monkeypatch.setattr(on_kernels, "can_derive", lambda _: False)

    for one, other in zip(*found, strict=True):
        assert relative(one, other) <= 1e-10


def few_pairs(**settings):
    calculator = in_torch(2, max_radial=1, **settings)
    return calculator, calculator.batch([random_frame(2, (1, 6), seed=3)])


@pytest.mark.parametrize("output", ["power_spectrum", "pair_features"])
def test_gradcheck(output):
    calculator, batch = few_pairs()

    def features(*tensors):
        return getattr(calculator, f"{output}_of")(with_tensors(batch, tensors))

    assert torch.autograd.gradcheck(features, leaves_of(batch), eps=1e-5, atol=1e-8, rtol=1e-5)
    assert torch.autograd.gradgradcheck(
        lambda *tensors: 100 * features(*tensors), leaves_of(batch), eps=1e-5, atol=1e-7, rtol=1e-5
    )


def test_forces_are_derived_by_weights_twice():
    calculator, batch = few_pairs()
    x, q = batch.positions.requires_grad_(), batch.orientations.requires_grad_()
    features = 20 * calculator.power_spectrum_of(batch, per_centre=True)[:, :20]
    few = features.unflatten(1, (2, 10)).sum(dim=2)
    weights = torch.tensor([1.0, -0.5], dtype=torch.float64, requires_grad=True)

    def derivatives(weights):
        energy = torch.tanh(few @ weights).sum()
        return torch.autograd.grad(energy, (x, q), create_graph=True)

    assert torch.autograd.gradcheck(derivatives, weights, eps=1e-5, atol=1e-8, rtol=1e-5)
    assert torch.autograd.gradgradcheck(derivatives, weights, eps=1e-5, atol=1e-7, rtol=1e-5)


def test_third_derivatives_are_those_of_torch(monkeypatch):
    calculator = in_torch(2)
    batch = batch_of(calculator, (3,))
    model = network(calculator.power_spectrum_of(batch).shape[1])
    found = []

    for _ in range(2):
        leaves = leaves_of(batch)
        value = loss(calculator, batch, model, "power_spectrum", leaves=leaves)
        slopes = torch.autograd.grad(value, (leaves[0], model[0].weight), create_graph=True)
        again = torch.autograd.grad(sum((s**2).sum() for s in slopes), (*leaves, model[0].weight))
        found.append([each.numpy() for each in again])
        monkeypatch.setattr(on_kernels, "can_derive", lambda _: False)

    for one, other in zip(*found, strict=True):
        assert relative(one, other) <= 1e-9


def test_what_the_kernels_do_not_derive_stays_in_torch():
    calculator = in_torch()
    batch = batch_of(calculator)
    assert not on_kernels.can_derive(batch)

    moved = replace(batch, positions=batch.positions.clone().requires_grad_())
    assert on_kernels.can_derive(moved)
    with torch.no_grad():
        assert not on_kernels.can_derive(moved)

    others = (
        {"diameters": batch.diameters.clone().requires_grad_()},
        {"orientations": torch.eye(3, dtype=torch.float64).repeat(8, 1, 1)},
        {"neighbours": replace(batch.neighbours)},
        {"positions": moved.positions[:-1]},
    )
    for other in others:
        assert not on_kernels.can_derive(replace(moved, **other))


def test_in_single_precision_the_kernels_train_too(monkeypatch):
    """Loss of forces, and its derivatives by weights: by J^T g and J v in fp32."""
    found = {}
    for precision in ("fp64", "fp32"):
        calculator = in_torch(precision=precision)
        batch = batch_of(calculator)
        if precision == "fp32":
            monkeypatch.setattr(calculator, "_in_torch", None)
        with torch.no_grad():
            model = network(projection().power_spectrum([random_frame(2, (1, 6))]).shape[1]).to(
                calculator.dtype
            )

        value = loss(calculator, batch, model, "power_spectrum")
        found[precision] = [value.detach(), *torch.autograd.grad(value, list(model.parameters())[:-1])]

    for ours, exact in zip(found["fp32"], found["fp64"], strict=True):
        assert relative(ours.double(), exact) <= 2e-5


def test_half_precisions_stay_in_torch(monkeypatch):
    calculator = in_torch(precision="bf16")
    monkeypatch.setattr(on_kernels, "KernelCall", None)
    batch = batch_of(calculator)
    batch.positions.requires_grad_()
    assert calculator.power_spectrum_of(batch).dtype == torch.float32


def test_particles_that_went_astray_are_named():
    calculator = in_torch()
    batch = batch_of(calculator)
    positions = batch.positions.clone()
    positions[5] = float("nan")
    with pytest.raises(BadInput, match="frame 2, particle 1: positions is not finite"):
        calculator.power_spectrum_of(replace(batch, positions=positions.requires_grad_()))


def test_frames_without_particles_or_neighbours():
    calculator = in_torch(subtract_center_contribution=True)
    batch = calculator.batch([random_frame(3)[:0], random_frame(1, edge=30.0)])
    batch.positions.requires_grad_()
    spectrum = calculator.power_spectrum_of(batch)
    (slope,) = torch.autograd.grad((spectrum**2).sum(), batch.positions, create_graph=True)
    assert not spectrum.any()
    assert np.array_equal(slope.detach().numpy(), np.zeros((1, 3)))
