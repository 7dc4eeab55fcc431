"""Our descriptors against the published package, with the same S^-1/2 and with our own."""

import warnings

import numpy as np
import pytest
from cases import ragged_frames, random_frames, relative_error

from anisweep.cell import Hypers
from anisweep.descriptors import EllipsoidalDensityProjection
from anisweep.worker.clock import Silent

radial = pytest.importorskip("anisoap.representations.radial_basis", reason="no anisoap")

from anisweep.modes import _published  # noqa: E402

SHAPES = {
    "discs": [[3.0, 3.0, 1.0]],
    "rods along x": [[3.0, 1.0, 1.0]],
    "rods along y": [[1.0, 2.5, 1.0]],
    "triaxial": [[3.0, 2.0, 1.0]],
    "spheres": [[2.0, 2.0, 2.0]],
    "mixed": [[3.0, 3.0, 1.0], [3.0, 2.0, 1.0], [2.0, 2.0, 2.0], [1.0, 3.0, 3.0], [2.5, 2.5, 2.5]],
}
BASES = {"gto": (1.5, 1e-8, 1e-3), "monomial": (None, 1e-10, 1e-2)}


def shaped(frames, shape):
    for frame in frames:
        rows = np.resize(SHAPES[shape], (len(frame), 3))
        for axis in range(3):
            frame.arrays[f"c_diameter[{axis + 1}]"] = rows[:, axis].copy()
    return frames


def both(basis, lmax, max_radial, subtract=False, cutoff=4.0):
    """The published calculator and ours."""
    width, rcond, tol = BASES[basis]
    hypers = Hypers(basis, lmax, max_radial, cutoff, width, subtract, rcond, tol)

    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "In quaternion mode", UserWarning)
        ours = EllipsoidalDensityProjection(
            lmax,
            basis,
            cutoff,
            subtract_center_contribution=subtract,
            radial_gaussian_width=width,
            max_radial=max_radial,
            rotation_key="c_q",
            basis_rcond=rcond,
            basis_tol=tol,
            drop_isolated=True,
        )
    return _published.projection(hypers), ours


def reference(published, frames, output="coefficients"):
    return _published.compute(_published.Published(published, output), frames, Silent(), np.einsum)


def share_mixing(published, ours):
    """Give ours the published package's own S^-1/2, so that only the rest is compared."""
    basis = published.radial_basis
    mixing = np.zeros_like(ours.tables.mixing)

    for l, count in enumerate(ours.num_ns):
        degrees = l + 2 * np.arange(count)
        norms = (
            radial.gto_prefactor(degrees, 1.5)
            if basis.radial_basis == "gto"
            else radial.monomial_prefactor(degrees, basis.cutoff_radius)
        )
        overlap = basis.overlap_matrix[np.ix_(degrees, degrees)]
        inverse_root = radial.inverse_matrix_sqrt(overlap, basis.rcond, basis.tol)
        mixing[l, :count, :count] = ours.radial_basis.ordered(l, norms[:, None] * inverse_root)

    ours.tables.__dict__["mixing"] = mixing
    ours.tables.__dict__.pop("pointers", None)  # they point to what was there before


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize(("species", "subtract"), [(1, False), (2, True), (3, True), (4, False)])
@pytest.mark.parametrize(("lmax", "max_radial"), [(6, None), (4, [2, 0, 1, 1, 3])])
@pytest.mark.parametrize("basis", BASES)
def test_coefficients_with_the_same_orthonormalisation(basis, lmax, max_radial, species, subtract, shape):
    published, ours = both(basis, lmax, max_radial, subtract)
    frames = shaped(random_frames(species, frames=1) + ragged_frames(species), shape)
    share_mixing(published, ours)

    assert relative_error(ours.transform(frames), reference(published, frames)) <= 1e-14


@pytest.mark.parametrize(
    ("species", "subtract", "shape"),
    [
        (1, False, "discs"),
        (2, True, "mixed"),
        (3, False, "mixed"),
        (4, True, "triaxial"),
        (2, False, "spheres"),
    ],
)
@pytest.mark.parametrize("surroundings", ["dense", "isolated", "small cell"])
@pytest.mark.parametrize("basis", BASES)
def test_coefficients_of_the_largest_basis_of_the_studies(basis, surroundings, species, subtract, shape):
    published, ours = both(basis, 9, 6, subtract)
    frames = ragged_frames(species) if surroundings == "isolated" else random_frames(species, 1, 3)
    if surroundings == "small cell":
        frames[0].set_cell([[2.4, 0, 0], [0.3, 2.6, 0], [-0.2, 0.4, 2.9]])
    shaped(frames, shape)
    expected = reference(published, frames)

    if basis == "gto":
        assert relative_error(ours.transform(frames), expected) <= 1e-10

    share_mixing(published, ours)
    assert relative_error(ours.transform(frames), expected) <= 1e-12


def test_frames_that_are_not_periodic():
    """In some directions only is nothing that the published package's neighbour list takes."""
    published, ours = both("gto", 6, None)
    frames = shaped(random_frames(2, frames=2), "mixed")
    for frame in frames:
        frame.pbc = False
    share_mixing(published, ours)

    assert relative_error(ours.transform(frames), reference(published, frames)) <= 1e-14


def test_orientations_as_matrices():
    from anisoap.representations import EllipsoidalDensityProjection as Published
    from scipy.spatial.transform import Rotation

    settings = {"radial_gaussian_width": 1.5, "rotation_key": "axes", "rotation_type": "matrix"}
    published = Published(6, "gto", 4.0, **settings)
    ours = EllipsoidalDensityProjection(6, "gto", 4.0, drop_isolated=True, **settings)
    frames = shaped(random_frames(frames=2), "mixed")
    for frame in frames:
        turns = Rotation.from_quat(frame.arrays["c_q"], scalar_first=True)
        frame.set_array("axes", turns.as_matrix())

    assert relative_error(ours.transform(frames), published.transform(frames)) <= 1e-12


@pytest.mark.parametrize("diameters", [(3.0, 3.0, 1.0), (3.0, 2.0, 0.8)])
def test_ours_are_closer_to_fifty_digits_than_the_published_ones(diameters):
    pytest.importorskip("mpmath", reason="no mpmath")
    from test_oracle import exact_pair, pair_frame

    published, ours = both("gto", 9, 6, subtract=True, cutoff=7.0)
    pair = [1.1, -2.3, 2.9], [0.4, -1.0, 0.7, 0.2], diameters
    mixing = [ours.radial_basis.exact_mixing(l) for l in range(10)]
    exact = exact_pair(*pair, "gto", mixing)

    def error(transformed):
        first = np.concatenate([block.values[0].ravel() for block in transformed])
        return np.abs(first - exact).max() / np.abs(exact).max()

    frame = pair_frame(*pair)
    assert error(ours.transform([frame])) <= 1e-14
    assert error(reference(published, [frame])) > 1e-13


@pytest.mark.parametrize("shape", SHAPES)
def test_our_own_orthonormalisation_at_lmax_6(shape):
    published, ours = both("gto", 6, None)
    frames = shaped(random_frames(frames=2), shape)

    assert relative_error(ours.transform(frames), reference(published, frames)) <= 1e-12
    assert (
        relative_error(ours.power_spectrum(frames), reference(published, frames, "power_spectrum")) <= 1e-12
    )


def test_cells_smaller_than_the_cutoff():
    published, ours = both("gto", 6, None, cutoff=7.0)
    frames = random_frames(frames=1, particles=1)
    frames[0].set_cell([[2.41, 0, 0], [0.3, 4.0, 0], [-0.2, 0.4, 5.0]])

    assert relative_error(ours.transform(frames), reference(published, frames)) <= 1e-12


def test_a_tensor_map_of_the_power_spectrum_has_the_published_labels():
    published, ours = both("gto", 3, 1)
    frames = random_frames(frames=2)
    for frame in frames:
        frame.arrays.pop("quaternion", None)

    result = ours.power_spectrum(frames, mean_over_samples=False)
    expected = published.power_spectrum(frames, mean_over_samples=False)

    assert result.keys == expected.keys
    for block, other in zip(result, expected, strict=True):
        assert block.samples == other.samples
        assert block.components == other.components
        assert block.properties == other.properties
    assert relative_error(result, expected) <= 1e-12


def test_unnormalised_coefficients():
    published, ours = both("gto", 4, 2)
    frames = random_frames(frames=1)
    expected = published.transform(frames, normalize=False)

    primitive = ours.transform(frames, normalize=False)
    assert relative_error(primitive, expected) <= 1e-13
    assert relative_error(ours.radial_basis.orthonormalize_basis(primitive), ours.transform(frames)) <= 1e-13
