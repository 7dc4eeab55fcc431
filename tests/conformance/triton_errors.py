"""How far the Triton kernels are from plain Torch and from the kernels in C: a script that prints JSON.

Without a GPU start it with TRITON_INTERPRET=1. It is a process of its own because Triton decides at import
how kernels run.
"""

import json
import warnings

import numpy as np
import torch
from cases import random_frames, relative_error

from anisweep.descriptors import EllipsoidalDensityProjection
from anisweep.descriptors.torch_backend import TorchProjection, triton_kernel
from anisweep.descriptors.torch_backend.moments import Means

TENSORS = ("positions", "cells", "orientations", "diameters")


def projection(lmax=6, kind=TorchProjection, **more):
    settings = {"radial_gaussian_width": 1.5, "rotation_key": "c_q", "basis_rcond": 1e-8, "basis_tol": 1e-3}

    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "In quaternion mode", UserWarning)
        return kind(lmax, "gto", 5.0, **{**settings, **more})


def mixed_frames():
    """Two species; discs, rods, spheres and shapes with three axes."""
    frames = random_frames(species=2)
    for frame in frames:
        shapes = np.resize([[3, 3, 1], [3, 2, 1], [2, 2, 2], [1, 3, 3]], (len(frame), 3))
        for axis in range(3):
            frame.arrays[f"c_diameter[{axis + 1}]"] = shapes[:, axis].astype(float)
    return frames


def values_and_derivatives(calculator):
    """Power spectra, derivatives of an energy, and derivatives of what a model of forces minimises."""
    batch = calculator.batch(mixed_frames())
    leaves = [getattr(batch, name).requires_grad_() for name in TENSORS]
    spectrum = calculator.power_spectrum_of(batch, per_centre=True)
    energy = (spectrum**2).sum()

    once = torch.autograd.grad(energy, leaves, retain_graph=True)
    recorded = torch.autograd.grad(energy, leaves, create_graph=True)  # by other steps
    twice = torch.autograd.grad(sum((each**2).sum() for each in recorded), leaves)
    tensors = [spectrum, *once, *twice]
    return [tensor.detach().cpu().numpy() for tensor in tensors]


def other_layout(device):
    """The largest change of derivatives where the means of all pairs lie one axis after another."""
    calculator = projection(2, fused=True, device=device)
    generator = torch.Generator().manual_seed(0)
    mean, rho, weight = (torch.randn(shape, generator=generator) for shape in ((40, 3), (40, 3), (40, 2)))
    group = torch.arange(40, device=device) // 3
    cotangent = torch.randn(14, calculator.torch_tables.features, generator=generator)
    mean, rho, weight, cotangent = (part.double().to(device) for part in (mean, rho, weight, cotangent))

    def derivatives(*parts):
        means = Means(*parts, group, 14)
        return triton_kernel.pair_derivatives(means, cotangent, calculator.torch_tables, "fp64")

    plain = derivatives(mean, rho, weight[:, 0].contiguous())
    turned = derivatives(mean.T.contiguous().T, rho.T.contiguous().T, weight[:, 0])
    return max(float((a - b).abs().max()) for a, b in zip(plain, turned, strict=True))


def main():
    device = "cuda" if torch.cuda.is_available() else "cpu"
    errors = {}

    for precision in ("fp64", "fp32"):
        found = [
            values_and_derivatives(
                projection(5, max_radial=2, precision=precision, fused=fused, device=device)
            )
            for fused in (True, False)
        ]
        names = ("spectrum", *TENSORS, *(f"{name} twice" for name in TENSORS))
        errors[precision] = {
            name: float(relative_error(*pair)) for name, *pair in zip(names, *found, strict=True)
        }

    expected = projection(kind=EllipsoidalDensityProjection).power_spectrum(mixed_frames())
    ours = projection(fused=True, device=device).power_spectrum(mixed_frames())
    errors["against C"] = float(relative_error(ours, expected))
    errors["other layout"] = other_layout(device)
    print(json.dumps(errors))


if __name__ == "__main__":
    main()
