"""The Torch backend where it is slow to test: real frames, the compiler, and Triton's interpreter."""

import sys
import warnings
from dataclasses import replace

import numpy as np
import pytest
from cases import random_frames, relative_error, run

from anisweep.descriptors import EllipsoidalDensityProjection

torch = pytest.importorskip("torch", reason="no torch")

from anisweep.descriptors.torch_backend import TorchProjection  # noqa: E402

TENSORS = ("positions", "cells", "orientations", "diameters")
LARGEST = {"max_angular": 9, "max_radial": 6}


def projection(lmax=6, kind=TorchProjection, **more):
    settings = {"radial_gaussian_width": 1.5, "rotation_key": "c_q", "basis_rcond": 1e-8, "basis_tol": 1e-3}

    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "In quaternion mode", UserWarning)
        return kind(lmax, "gto", 5.0, **{**settings, **more})


def mixed_frames(species=2):
    """Discs, rods, spheres and shapes with three axes."""
    frames = random_frames(species)
    for frame in frames:
        shapes = np.resize([[3, 3, 1], [3, 2, 1], [2, 2, 2], [1, 3, 3]], (len(frame), 3))
        for axis in range(3):
            frame.arrays[f"c_diameter[{axis + 1}]"] = shapes[:, axis].astype(float)
    return frames


@pytest.mark.parametrize(("hypers", "bound"), [({}, 1e-12), (LARGEST, 1e-10)])
def test_float64_on_real_frames(real_frames, hypers, bound):
    expected = run("fused_cpu", real_frames, "power_spectrum", **hypers)
    assert relative_error(run("fused_torch", real_frames, "power_spectrum", **hypers), expected) <= bound


@pytest.mark.parametrize(("hypers", "bound"), [({}, 1e-6), (LARGEST, 1e-4)])
def test_float32_on_real_frames(real_frames, hypers, bound):
    expected = run("fused_cpu", real_frames, "power_spectrum", **hypers)
    single = run("fused_torch", real_frames, "power_spectrum", "fp32", **hypers)

    assert single.dtype == np.float32
    assert relative_error(single, expected) <= bound


@pytest.mark.parametrize("compiler", ["eager", "aot_eager"])
def test_a_compiled_model_is_the_model(compiler):
    """The whole model in one graph. `inductor`, the default compiler, takes the graph of `aot_eager`."""
    calculator = projection(4, cutoff_smoothing=0.5)
    batch = calculator.batch(mixed_frames())

    def energy(*tensors):
        moved = replace(batch, **dict(zip(TENSORS, tensors, strict=True)))
        return torch.tanh(calculator.power_spectrum_of(moved)).sum()

    found = []
    for model in (energy, torch.compile(energy, backend=compiler, fullgraph=True)):
        leaves = [getattr(batch, name).clone().requires_grad_() for name in TENSORS]
        value = model(*leaves)
        value.backward()
        found.append([value.detach().numpy(), *(leaf.grad.numpy() for leaf in leaves)])

    for compiled, plain in zip(found[1], found[0], strict=True):
        assert relative_error(compiled, plain) <= 1e-13


@pytest.fixture
def interpreter(monkeypatch):
    """Triton's kernels run by its interpreter, where there is no GPU."""
    pytest.importorskip("triton", reason="no triton")
    name = "anisweep.descriptors.torch_backend.triton_kernel"

    if not torch.cuda.is_available():
        monkeypatch.setenv("TRITON_INTERPRET", "1")
        monkeypatch.delitem(sys.modules, name, raising=False)
    yield "cuda" if torch.cuda.is_available() else "cpu"
    sys.modules.pop(name, None)


@pytest.mark.parametrize(("precision", "bound"), [("fp64", 1e-13), ("fp32", 1e-5)])
def test_the_triton_kernels_compute_what_torch_computes(interpreter, precision, bound):
    found = []

    for fused in (False, True):
        calculator = projection(5, max_radial=2, precision=precision, fused=fused, device=interpreter)
        batch = calculator.batch(mixed_frames())
        for name in TENSORS:
            getattr(batch, name).requires_grad_()

        spectrum = calculator.power_spectrum_of(batch, per_centre=True)
        (spectrum**2).sum().backward()
        found.append([spectrum.detach(), *(getattr(batch, name).grad for name in TENSORS)])

    for fused, plain in zip(found[1], found[0], strict=True):
        assert relative_error(fused.cpu().numpy(), plain.cpu().numpy()) <= bound


def test_the_triton_kernels_equal_those_in_c(interpreter):
    frames = mixed_frames()
    expected = projection(kind=EllipsoidalDensityProjection).power_spectrum(frames)

    fused = projection(fused=True, device=interpreter)
    assert relative_error(fused.power_spectrum(frames), expected) <= 1e-12


def test_the_triton_kernels_compile_for_gpus_that_are_not_here(tmp_path, monkeypatch):
    ...
