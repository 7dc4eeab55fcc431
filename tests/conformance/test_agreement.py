"""The modes agree with one another, and the reference agrees with what it must."""

import warnings

import numpy as np
import pytest
from cases import ON_CPU, flat, ragged_frames, random_frames, relative_error, run

from anisweep import modes
from anisweep.modes import Unavailable

package = pytest.importorskip("anisoap.representations", reason="no anisoap")

OTHERS = [name for name in ON_CPU if name != "numpy_only"]
SINGLE = [name for name in OTHERS if "fp32" in modes.precisions(name)]

BASES = {
    "gto": {"radial_basis_name": "gto", "radial_gaussian_width": 1.5},
    "monomial": {"radial_basis_name": "monomial", "radial_gaussian_width": None},
}


def assert_agree(result, reference):
    """The bounds of a fidelity check, and the same labels."""
    if not isinstance(reference, np.ndarray):
        assert result.keys == reference.keys
        for block, expected in zip(result, reference, strict=True):
            assert block.samples == expected.samples
            assert block.components == expected.components
            assert block.properties == expected.properties

    assert np.allclose(flat(result), flat(reference), rtol=1e-6, atol=1e-8)
    assert relative_error(result, reference) <= 1e-10


@pytest.mark.parametrize("subtract", [False, True])
@pytest.mark.parametrize("max_radial", [None, 2, (2, 0, 1, 1)])
@pytest.mark.parametrize("basis", BASES)
@pytest.mark.parametrize("species", [1, 2, 3, 4])
def test_coefficients_agree(species, basis, max_radial, subtract):
    hypers = {
        **BASES[basis],
        "max_angular": 3,
        "max_radial": max_radial,
        "cutoff_radius": 3.5,
        "subtract_center_contribution": subtract,
    }
    frames = ragged_frames(species)
    reference = run("numpy_only", frames, **hypers)

    for mode in OTHERS:
        assert_agree(run(mode, frames, **hypers), reference)


@pytest.mark.parametrize("subtract", [False, True])
@pytest.mark.parametrize("basis", BASES)
def test_power_spectra_agree(basis, subtract):
    hypers = {
        **BASES[basis],
        "max_angular": 4,
        "cutoff_radius": 3.5,
        "subtract_center_contribution": subtract,
    }
    frames = ragged_frames(1)
    reference = run("numpy_only", frames, "power_spectrum", **hypers)

    # 9 + 4 + 4 + 1 + 1 features; without self-pairs the package leaves out particles that are alone.
    assert reference.shape == (len(frames) - (3 if subtract else 0), 19)

    for mode in OTHERS:
        assert_agree(run(mode, frames, "power_spectrum", **hypers), reference)


@pytest.mark.parametrize("output", ["coefficients", "power_spectrum"])
@pytest.mark.parametrize("mode", SINGLE)
def test_single_precision_is_single_and_within_its_bound(mode, output):
    frames = random_frames()
    error = relative_error(run(mode, frames, output, "fp32"), run("numpy_only", frames, output))

    assert 1e-9 < error <= 5e-6


@pytest.mark.parametrize("output", ["coefficients", "power_spectrum"])
@pytest.mark.parametrize("mode", [name for name in OTHERS if "bf16" in modes.precisions(name)])
def test_bf16_is_bf16_and_not_something_better_in_silence(mode, output):
    """It has 8 binary digits: its error is between a tenth and ten times 2^-8."""
    frames = random_frames()
    error = relative_error(run(mode, frames, output, "bf16"), run("numpy_only", frames, output))

    assert 0.1 * 2**-8 < error < 10 * 2**-8


def test_one_frame_keeps_its_axis():
    for mode in ON_CPU:
        assert run(mode, random_frames(frames=1), "power_spectrum").shape == (1, 44)


def test_numpy_only_is_the_published_package_bit_for_bit():
    frames = random_frames(frames=3)

    with pytest.warns(UserWarning, match="In quaternion mode"):
        published = package.EllipsoidalDensityProjection(
            max_angular=6,
            radial_basis_name="gto",
            cutoff_radius=7.0,
            radial_gaussian_width=1.5,
            rotation_key="c_q",
            basis_rcond=1e-8,
            basis_tol=1e-3,
        )

    transformed = published.transform(frames)
    coefficients = run("numpy_only", frames)

    assert coefficients.keys == transformed.keys
    for block, expected in zip(coefficients, transformed, strict=True):
        assert block.samples == expected.samples
        assert block.properties == expected.properties
        assert np.array_equal(block.values, expected.values)

    assert np.array_equal(run("numpy_only", frames, "power_spectrum"), published.power_spectrum(frames))


def test_neighbour_species_add_up_to_the_one_species_result():
    frames = random_frames(species=3)
    alike = [frame.copy() for frame in frames]
    for frame in alike:
        frame.numbers[:] = 1

    of_three = run("numpy_only", frames)
    of_one = run("numpy_only", alike)

    for key, block in of_three.items():
        whole = of_one.block(angular_channel=key["angular_channel"])
        rows = [whole.samples.position(sample) for sample in block.samples]
        n = np.asarray(block.properties["n"])

        for k in range(n.max() + 1):
            total = block.values[:, :, n == k].sum(axis=2)
            assert np.abs(total - whole.values[rows, :, k]).max() <= 1e-12 * np.abs(whole.values).max()


def test_neighbours_of_the_own_species_are_what_they_are_without_the_others():
    frames = random_frames(species=2)
    mixed = run("numpy_only", frames)

    for species in (1, 6):
        alone = run("numpy_only", [frame[frame.numbers == species] for frame in frames])

        for key, block in alone.items():
            within = mixed.block(key)
            own = np.asarray(within.properties["neighbor_types"]) == species
            error = np.abs(within.values[:, :, own] - block.values).max()

            assert error <= 1e-12 * np.abs(block.values).max()


@pytest.mark.parametrize("mode", ON_CPU)
def test_the_shape_of_one_species_moves_only_the_properties_that_bear_its_name(mode):
    frames = random_frames(species=3)
    before = run(mode, frames)

    for frame in frames:
        frame.arrays["c_diameter[2]"][frame.numbers == 6] = 2.0
    after = run(mode, frames)

    for old, new in zip(before, after, strict=True):
        moved = np.abs(new.values - old.values).max(axis=(0, 1)) > 1e-6 * np.abs(old.values).max()
        assert np.array_equal(moved, np.asarray(old.properties["neighbor_types"]) == 6)


@pytest.mark.parametrize("mode", ON_CPU)
def test_the_power_spectrum_of_two_species_is_unavailable(mode):
    with pytest.raises(Unavailable, match=r"power spectrum of 2 species.*ask for coefficients"):
        run(mode, random_frames(species=2, frames=1), "power_spectrum")


@pytest.mark.parametrize("mode", ON_CPU)
def test_a_mode_computes_without_a_warning(mode):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        run(mode, random_frames(frames=1), "power_spectrum")


def test_a_machine_without_cuda_is_unavailable(monkeypatch):
    torch = pytest.importorskip("torch", reason="no torch")
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)

    for mode in ("torch_full", "torch_batched", "fused_torch", "fused_triton"):
        with pytest.raises(Unavailable, match="device cuda: Torch sees none"):
            modes.load(mode).prepare(None, "coefficients", "fp64", "cuda")


@pytest.mark.parametrize("mode", modes.names())
def test_a_precision_or_device_that_a_mode_lacks_is_unavailable(mode):
    module = modes.load(mode)

    with pytest.raises(Unavailable, match="precision fp16: this mode has"):
        module.prepare(None, "coefficients", "fp16", "cpu")
    with pytest.raises(Unavailable, match="device mps: this mode has"):
        module.prepare(None, "coefficients", "fp64", "mps")
