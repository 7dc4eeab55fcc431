"""The Torch backend where it is slow to test: real frames, the compiler, and Triton's interpreter."""

import json
import os
import re
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from cases import random_frames, relative_error, run

torch = pytest.importorskip("torch", reason="no torch")

from triton_errors import TENSORS, mixed_frames, projection  # noqa: E402

LARGEST = {"max_angular": 9, "max_radial": 6}


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


def test_a_compiled_model_is_the_model():
    """One graph, compiled once for any number of particles, neighbours and frames."""
    compiler = "inductor" if shutil.which("g++") else "aot_eager"  # the default one generates C++
    calculator = projection(2, cutoff_smoothing=0.5)

    def energy(batch, *tensors):
        moved = replace(batch, **dict(zip(TENSORS, tensors, strict=True)))
        return torch.tanh(calculator.power_spectrum_of(moved)).sum()

    def value_and_derivatives(model, batch):
        leaves = [getattr(batch, name).clone().requires_grad_() for name in TENSORS]
        value = model(batch, *leaves)
        value.backward()
        return [value.detach().numpy(), *(leaf.grad.numpy() for leaf in leaves)]

    torch._dynamo.reset()
    compiled = torch.compile(energy, backend=compiler, fullgraph=True, dynamic=True)
    with torch._dynamo.config.patch(error_on_recompile=True):
        for frames in (mixed_frames(), random_frames(2, frames=3, particles=7)):
            batch = calculator.batch(frames)
            ours, plain = (value_and_derivatives(model, batch) for model in (compiled, energy))
            for one, other in zip(ours, plain, strict=True):
                assert relative_error(one, other) <= 1e-13


@pytest.fixture(scope="module")
def triton_errors():
    """What triton_errors.py measures, in a process of its own: Triton decides at import how kernels run."""
    pytest.importorskip("triton", reason="no triton")
    script = Path(__file__).with_name("triton_errors.py")
    interpreted = {} if torch.cuda.is_available() else {"TRITON_INTERPRET": "1"}
    done = subprocess.run(
        [sys.executable, script], capture_output=True, text=True, env={**os.environ, **interpreted}
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.mark.parametrize("name", ["spectrum", *TENSORS, *(f"{name} twice" for name in TENSORS)])
@pytest.mark.parametrize(("precision", "bound"), [("fp64", 1e-13), ("fp32", 1e-5)])
def test_the_triton_kernels_compute_what_torch_computes(triton_errors, precision, bound, name):
    assert triton_errors[precision][name] <= bound


def test_the_triton_kernels_equal_those_in_c(triton_errors):
    assert triton_errors["against C"] <= 1e-12


def test_the_triton_kernels_take_tensors_in_any_layout(triton_errors):
    """A compiler of models may hand on what lies in memory the other way round."""
    assert triton_errors["other layout"] == 0


@pytest.mark.parametrize("capability", [80, 90])
@pytest.mark.parametrize(("number", "rounding"), [("fp64", "ieee"), ("fp32", "ieee"), ("fp32", "tf32")])
def test_the_triton_kernels_compile_for_gpus_that_are_not_here(monkeypatch, number, rounding, capability):
    """Once for all sizes; places in memory may lie beyond 2^31."""
    monkeypatch.setenv("TRITON_DEFAULT_FP_FUSION", "1")
    triton = pytest.importorskip("triton", reason="no triton")
    from triton.backends.compiler import GPUTarget

    from anisweep.descriptors.torch_backend import triton_kernel

    sizes = {"DEGREE": 21, "GROUPS": 16, "PAIRS": 32, "PRODUCTS": 32, "FEATURES": 128, "PRECISION": rounding}
    indices = {"powers": "*i64", "starts": "*i64", "of_pair": "*i64"}
    integers = ("pairs", "groups", "products", "width", "stride")

    for kernel in (triton_kernel._along_axes, triton_kernel._contract, triton_kernel._differentiate):
        names = kernel.arg_names
        signature = {name: indices.get(name, f"*{number}") for name in names}
        signature |= {name: "i32" for name in integers if name in names}
        signature |= {name: "constexpr" for name in sizes if name in names}

        constants = {name: sizes[name] for name in sizes if name in names}
        source = triton.compiler.ASTSource(kernel, signature, constants)
        compiled = triton.compile(source, target=GPUTarget("cuda", capability, 32))
        assert compiled.asm["cubin"]

        told_apart = {each.name for each in kernel.params if not each.do_not_specialize}
        assert told_apart.isdisjoint(integers)
        places = set(re.findall(r"arith.muli .* : (tensor\S+)", compiled.asm["ttir"]))
        assert {place for place in places if "i64" not in place} <= {"tensor<32x1xi32>"}  # of the matrix
