"""The descriptors in Torch equal those of the C kernels, and so do their derivatives."""

from dataclasses import replace
from weakref import ref

import numpy as np
import pytest
from frames_for_tests import SHAPES, projection, random_frame, relative

from anisweep.descriptors import BadInput
from anisweep.descriptors.gradients import gradients

torch = pytest.importorskip("torch", reason="no torch")

from torch.utils._python_dispatch import TorchDispatchMode  # noqa: E402
from torch.utils._pytree import tree_leaves  # noqa: E402

from anisweep.descriptors.torch_backend import TorchProjection  # noqa: E402
from anisweep.descriptors.torch_backend import projection as projection_in_torch  # noqa: E402
from anisweep.descriptors.torch_backend.moments import multiply  # noqa: E402

pytestmark = pytest.mark.usefixtures("one_thread")

BASES = {"gto": {}, "monomial": {"basis_rcond": 1e-10, "basis_tol": 1e-2}}
TENSORS = ("positions", "cells", "orientations", "diameters")

#: So little that the pairs of a test frame are several chunks.
LITTLE = 2**17


@pytest.fixture(params=["cpu", "cuda"])
def device(request):
    if request.param == "cuda" and not torch.cuda.is_available():
        pytest.skip("no GPU")
    return request.param


def in_torch(*args, **more):
    return projection(*args, kind=TorchProjection, **more)


def frames_of(shape):
    return [random_frame(n, (1, 6), seed=n, shape=shape) for n in (3, 1, 4)]


def differentiable(calculator, frames):
    """A batch whose four tensors are leaves."""
    batch = calculator.batch(frames)
    for name in TENSORS:
        getattr(batch, name).requires_grad_()
    return batch


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("basis", BASES)
def test_the_features_are_those_of_the_kernels(device, basis, shape):
    frames = frames_of(shape)
    ours = in_torch(6, basis, memory=LITTLE, device=device, **BASES[basis])
    theirs = projection(6, basis, **BASES[basis])

    for output in ("coefficients", "power_spectrum", "pair_features"):
        for per_centre in (True, False):
            described = ours.describe(frames, output, per_centre)
            expected = theirs.describe(frames, output, per_centre)
            assert relative(described.values, expected.values) <= 1e-13
            assert np.array_equal(described.found > 0, expected.found > 0)


@pytest.mark.parametrize(("lmax", "max_radial"), [(0, 0), (0, 3), (1, 0), (2, [0, 4, 1]), (5, 2)])
@pytest.mark.parametrize("basis", BASES)
def test_every_size_of_basis(basis, lmax, max_radial):
    frames = frames_of("mixed")
    settings = {"max_radial": max_radial, **BASES[basis]}

    expected = projection(lmax, basis, **settings).power_spectrum(frames)
    assert relative(in_torch(lmax, basis, **settings).power_spectrum(frames), expected) <= 1e-12


@pytest.mark.parametrize(("basis", "lmax", "max_radial"), [("gto", 9, 6), ("gto", 12, 8), ("monomial", 9, 6)])
@pytest.mark.parametrize("shape", SHAPES)
def test_large_bases_lose_no_digits(shape, basis, lmax, max_radial):
    """Two formulations, of which the kernels' has no matrix product and this one no recurrence in l."""
    frames = frames_of(shape)
    settings = {"max_radial": max_radial, **BASES[basis]}

    expected = projection(lmax, basis, **settings).power_spectrum(frames)
    assert relative(in_torch(lmax, basis, **settings).power_spectrum(frames), expected) <= 1e-13


@pytest.mark.parametrize("basis", BASES)
@pytest.mark.parametrize(("lmax", "max_radial", "bound"), [(6, None, 1e-6), (9, 6, 1e-5)])
def test_float32_keeps_its_digits(device, basis, lmax, max_radial, bound):
    frames = frames_of("mixed")
    settings = {"max_radial": max_radial, **BASES[basis]}
    single = in_torch(lmax, basis, precision="fp32", device=device, **settings).power_spectrum(frames)

    assert single.dtype == np.float32
    assert relative(single, projection(lmax, basis, **settings).power_spectrum(frames)) <= bound


def test_bfloat16_keeps_two_digits():
    frames = frames_of("mixed")
    rounded = in_torch(9, max_radial=6, precision="bf16").power_spectrum(frames)

    assert 1e-5 < relative(rounded, projection(9, max_radial=6).power_spectrum(frames)) <= 2e-2


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("smoothing", [None, 1.0])
@pytest.mark.parametrize("output", ["power_spectrum", "pair_features"])
def test_the_derivatives_are_those_of_the_kernels(device, shape, smoothing, output):
    frames = frames_of(shape)
    settings = {"max_radial": 2, "cutoff_smoothing": smoothing}
    calculator = projection(**settings)
    cotangent = np.random.default_rng(0).normal(size=calculator.describe(frames, output).values.shape)
    _, expected = gradients(calculator, frames, cotangent, output, diameters=True)

    ours = in_torch(memory=LITTLE, device=device, **settings)
    batch = differentiable(ours, frames)
    features = getattr(ours, f"{output}_of")(batch)
    (features * torch.tensor(cotangent, device=device)).sum().backward()

    def gradient(name):
        return getattr(batch, name).grad.cpu().numpy()

    assert len(batch.neighbours.groups.chunks) > 3
    assert relative(gradient("positions"), expected.positions) <= 1e-12
    assert relative(gradient("cells"), expected.cells) <= 1e-12
    assert relative(gradient("diameters"), expected.diameters) <= 1e-12

    torque = np.abs(gradient("orientations") - expected.quaternions).max()
    assert torque <= 1e-12 * np.abs(expected.positions).max()


def test_derivatives_in_float32():
    frames = frames_of("mixed")
    found = {}
    for precision in ("fp64", "fp32"):
        calculator = in_torch(9, max_radial=6, precision=precision)
        batch = differentiable(calculator, frames)
        (calculator.power_spectrum_of(batch) ** 2).sum().backward()
        found[precision] = [getattr(batch, name).grad.numpy() for name in TENSORS]

    for single, double in zip(found["fp32"], found["fp64"], strict=True):
        assert relative(single, double) <= 1e-5


def few_pairs(**settings):
    """A calculator, and a batch of which some pairs fade and some do not."""
    calculator = in_torch(2, cutoff=5.0, max_radial=1, **settings)
    batch = calculator.batch([random_frame(2, (1, 6), seed=3)])
    assert 6 <= len(batch.neighbours.centre) <= 20
    return calculator, batch


def leaves_of(batch):
    return [getattr(batch, name).clone().requires_grad_() for name in TENSORS]


@pytest.mark.parametrize("method", ["power_spectrum_of", "coefficients_of", "pair_features_of"])
def test_gradcheck(method):
    calculator, batch = few_pairs(cutoff_smoothing=1.0)

    def features(*tensors):
        return getattr(calculator, method)(replace(batch, **dict(zip(TENSORS, tensors, strict=True))))

    assert torch.autograd.gradcheck(features, leaves_of(batch), eps=1e-5, atol=1e-8, rtol=1e-5)


@pytest.mark.parametrize("smoothing", [None, 1.0])
@pytest.mark.parametrize("method", ["power_spectrum_of", "pair_features_of"])
def test_gradients_are_differentiated_as_models_of_forces_need(smoothing, method):
    calculator, batch = few_pairs(cutoff_smoothing=smoothing)

    def energy(*tensors):
        moved = replace(batch, **dict(zip(TENSORS, tensors, strict=True)))
        return (100 * getattr(calculator, method)(moved)).sum()

    assert torch.autograd.gradgradcheck(energy, leaves_of(batch), eps=1e-5, atol=1e-7, rtol=1e-5)


def test_batches_have_the_columns_of_the_species_that_are_given():
    frames = [random_frame(3, (kind,), seed=kind) for kind in (1, 6)]
    calculator = in_torch(3)
    expected = projection(3).describe(frames, species=(1, 6)).values

    for frame, row in zip(frames, expected, strict=True):
        batch = calculator.batch([frame], species=(1, 6))
        assert relative(calculator.power_spectrum_of(batch)[0].numpy(), row) <= 1e-13
        assert relative(calculator.features([frame], species=(1, 6))[0].numpy(), row) <= 1e-13
    with pytest.raises(BadInput, match="species 1 is not among those given"):
        calculator.batch(frames, species=[6])


def test_autocast_is_for_the_layers_of_the_user():
    """`precision` says what is rounded here; but what is differentiated within autocast, it rounds."""
    calculator, batch = few_pairs(precision="fp32")
    positions = batch.positions.requires_grad_()
    exact = calculator.power_spectrum_of(batch)
    (forces,) = torch.autograd.grad(exact.sum(), positions)

    with torch.autocast("cpu", dtype=torch.bfloat16):
        spectrum = calculator.power_spectrum_of(batch)
        (within,) = torch.autograd.grad(spectrum.sum(), positions, retain_graph=True)
    (outside,) = torch.autograd.grad(spectrum.sum(), positions)

    assert torch.equal(spectrum, exact)
    assert torch.equal(outside, forces)
    assert relative(within.numpy(), forces.numpy()) <= 2e-2


def test_the_length_of_a_quaternion_means_nothing():
    frames = frames_of("mixed")
    expected = in_torch().power_spectrum(frames)
    for frame in frames:
        frame.arrays["c_q"] *= 1e-50
    assert relative(in_torch().power_spectrum(frames), expected) <= 1e-14


def test_tensor_floats_are_for_our_products_alone():
    """Whatever the user has chosen for all others, and whatever came before."""
    settings = torch.backends.cuda.matmul
    before, ones = settings.fp32_precision, torch.ones(4, 4)

    try:
        for chosen in ("ieee", "tf32"):
            settings.fp32_precision = chosen
            assert torch.equal(multiply(ones, ones, "tf32"), 4 * ones)
            assert settings.fp32_precision == chosen
    finally:
        settings.fp32_precision = before


def test_forces_of_a_model_that_is_not_linear():
    """Torch differentiates the model; the kernels need its cotangent."""
    frames = frames_of("mixed")
    calculator = in_torch()
    batch = differentiable(calculator, frames)
    spectrum = calculator.power_spectrum_of(batch)
    torch.tanh(50 * spectrum).sum().backward()

    cotangent = 50 / np.cosh(50 * spectrum.detach().numpy()) ** 2
    _, expected = gradients(projection(), frames, cotangent)
    assert relative(-batch.positions.grad.numpy(), expected.forces) <= 1e-12


def test_memory_changes_nothing_but_the_last_digit():
    frames = [random_frame(n % 5, seed=n) for n in range(12)]
    whole, pieces = in_torch(), in_torch(memory=1.0)

    assert pieces._at_a_time(1) == pieces._pairs() == 1
    assert relative(pieces.power_spectrum(frames), whole.power_spectrum(frames)) <= 1e-14


def test_a_large_gpu_is_given_large_chunks(monkeypatch):
    """Of what is free; what Torch keeps of earlier tensors is free, too."""
    monkeypatch.setattr(torch.cuda, "memory_reserved", lambda device: 3 * 2**36)
    monkeypatch.setattr(torch.cuda, "memory_allocated", lambda device: 2**36)
    monkeypatch.setattr(torch.cuda, "mem_get_info", lambda device: (2**37, 2**38))
    assert projection_in_torch._memory_of("cuda") == 2**36

    monkeypatch.setattr(torch.cuda, "memory_reserved", lambda device: 2**36)
    monkeypatch.setattr(torch.cuda, "mem_get_info", lambda device: (2**20, 2**38))
    assert projection_in_torch._memory_of("cuda") == 2**28
    assert in_torch().memory == 2**28


def test_kernels_are_launched_on_the_gpu_of_their_tensors(monkeypatch):
    """Triton takes the current one, which may be another: here it is asked which one is made current."""
    asked, real = [], torch.cuda.device_of
    monkeypatch.setattr(torch.cuda, "device_of", lambda tensor: asked.append(tensor.shape) or real(tensor))
    calculator = in_torch(2, precision="fp32")
    batch = differentiable(calculator, [random_frame(3)])
    calculator.power_spectrum_of(batch).sum().backward()

    assert len(asked) == 2  # for features and for derivatives


def test_nothing_waits_for_a_gpu():
    """To ask a tensor for a number, or how many are not zero, stops everything until the GPU has answered."""
    calculator = in_torch(2, precision="fp32", cutoff_smoothing=1.0)
    batch = differentiable(calculator, [random_frame(3)])
    leaves = [getattr(batch, name) for name in TENSORS]

    with torch.profiler.profile(activities=[torch.profiler.ProfilerActivity.CPU]) as profile:
        energy = calculator.power_spectrum_of(batch).square().sum()
        slopes = torch.autograd.grad(energy, leaves, create_graph=True)
        torch.autograd.grad(sum(each.square().sum() for each in slopes), leaves)

    called = {event.key for event in profile.key_averages()}
    assert "aten::index_add_" in called
    assert called.isdisjoint({"aten::item", "aten::_local_scalar_dense", "aten::nonzero"})


class Watch(TorchDispatchMode):
    """Counts the bytes of the tensors that are alive after each operation."""

    def __init__(self):
        super().__init__()
        self.made = {}
        self.most = 0

    def __torch_dispatch__(self, function, types, arguments=(), keywords=None):
        result = function(*arguments, **(keywords or {}))
        self.made |= {id(leaf): ref(leaf) for leaf in tree_leaves(result) if isinstance(leaf, torch.Tensor)}
        self.made = {key: tensor for key, tensor in self.made.items() if tensor() is not None}

        storages = [tensor().untyped_storage() for tensor in self.made.values()]
        self.most = max(self.most, sum({each.data_ptr(): each.nbytes() for each in storages}.values()))
        return result


def test_memory_is_what_was_given():
    """Beyond inputs and results, which are small here."""
    frames = [random_frame(12, edge=6.0, seed=seed) for seed in range(20)]

    def most(memory):
        with Watch() as watch:
            in_torch(memory=memory).features(frames)
        return watch.most

    assert most(2**28) > 2**21
    assert most(2**20) <= 1.5 * 2**20
    assert most(2**18) <= 1.5 * 2**18


def test_features_are_a_tensor_and_empty_frames_are_zero(device):
    frames = [random_frame(2), random_frame(3)[:0], random_frame(1, edge=30.0)]
    calculator = in_torch(device=device, subtract_center_contribution=True)
    features = calculator.features(frames)

    assert features.device.type == device
    assert features[0].any()
    assert not features[1:].any()
    assert calculator.features(frames, "coefficients", per_centre=True).shape[0] == 3
    assert (
        in_torch(subtract_center_contribution=True, drop_isolated=True).power_spectrum(frames).shape[0] == 1
    )


def test_matrices_are_orientations_too():
    frame = random_frame()
    q = frame.arrays["c_q"]
    w, x, y, z = (q / np.linalg.norm(q, axis=1)[:, None]).T
    rows = [
        [1 - 2 * (y * y + z * z), 2 * (x * y - z * w), 2 * (x * z + y * w)],
        [2 * (x * y + z * w), 1 - 2 * (x * x + z * z), 2 * (y * z - x * w)],
        [2 * (x * z - y * w), 2 * (y * z + x * w), 1 - 2 * (x * x + y * y)],
    ]
    frame.set_array("axes", np.array(rows).transpose(2, 0, 1))

    by_matrix = in_torch(rotation_key="axes", rotation_type="matrix").power_spectrum([frame])
    assert relative(by_matrix, in_torch().power_spectrum([frame])) <= 1e-13


@pytest.mark.parametrize("tilt", [0, 1e-16, 1e-14, 1e-12, 1e-10, 1e-8, 1e-4])
def test_axes_that_nearly_meet_those_of_space_turn_well(tilt):
    """At the poles of Euler's angles, where cos and sin of alpha are rounded badly."""
    frame = random_frame(4, shape="triaxial")
    for i, angle in enumerate((0, 0.7, 1.4, 2.1)):
        half = np.array([np.cos(angle / 2), np.sin(angle / 2)])
        upright = np.array([half[0], tilt * half[0], tilt * half[1], half[1]])
        upside_down = np.array([-tilt * half[0], half[0], half[1], tilt * half[1]])
        frame.arrays["c_q"][i] = [upright, upside_down][i % 2] + 1e-17

    ours = in_torch().describe([frame], "coefficients", per_centre=True)
    theirs = projection().describe([frame], "coefficients", per_centre=True)
    assert relative(ours.values, theirs.values) <= 1e-13


REFUSED = [
    ({"precision": "fp16"}, "precision must be one of fp64, fp32, tf32, bf16, not 'fp16'"),
    ({"precision": "tf32"}, "precision tf32 exists on CUDA only, not on cpu: choose fp32"),
    ({"precision": "bf16", "fused": True}, "the Triton kernels have no precision bf16"),
    ({"threads": 2}, "here Torch has its own; set them by torch.set_num_threads"),
]


@pytest.mark.parametrize(("settings", "message"), REFUSED)
def test_what_does_not_exist_is_refused(settings, message):
    with pytest.raises(BadInput, match=message):
        in_torch(**settings)


def test_what_is_wrong_is_said_as_by_the_kernels():
    with pytest.raises(
        BadInput, match="output must be one of coefficients, power_spectrum, pair_features, not 'spectrum'"
    ):
        in_torch().features([random_frame()], "spectrum")

    flat = random_frame()
    flat.set_cell(np.diag([5.0, 5.0, 0.0]))
    with pytest.raises(BadInput, match="frame 101: it is periodic, but its cell vectors span no volume"):
        in_torch().describe([random_frame(), flat], first=100)


def test_unnormalised_coefficients_are_refused():
    with pytest.raises(BadInput, match="normalize=False is not in Torch: use EllipsoidalDensityProjection"):
        in_torch().transform([random_frame()], normalize=False)
