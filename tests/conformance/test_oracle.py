"""Single pairs and the orthonormalisation against 50 digits, by formulas that are not ours.

There the density is a Gaussian in space axes, its moments are those of Cartesian monomials, and the solid
harmonics are polynomials with rational coefficients.
"""

import warnings
from fractions import Fraction
from functools import cache

import numpy as np
import pytest
from ase import Atoms

from anisweep.descriptors import EllipsoidalDensityProjection
from anisweep.descriptors.hyperparameters import radial_counts
from anisweep.descriptors.radial_basis import RadialBasis

mp = pytest.importorskip("mpmath", reason="no mpmath").mp
mp.dps = 50

LMAX, NMAX, SIGMA, CUTOFF = 6, 2, 1.5, 7.0


def times(a, b):
    """Product of two polynomials, {(powers of x, y, z): complex coefficient as (re, im)}."""
    product = {}
    for (p, (ar, ai)), (q, (br, bi)) in ((x, y) for x in a.items() for y in b.items()):
        power = tuple(i + j for i, j in zip(p, q, strict=True))
        re, im = product.get(power, (0, 0))
        product[power] = (re + ar * br - ai * bi, im + ar * bi + ai * br)
    return product


def plus(a, b, scale):
    """a + scale b."""
    total = dict(a)
    for power, (re, im) in b.items():
        old = total.get(power, (0, 0))
        total[power] = (old[0] + scale * re, old[1] + scale * im)
    return total


Z = {(0, 0, 1): (Fraction(1), 0)}
PLANAR = {(1, 0, 0): (Fraction(1), 0), (0, 1, 0): (0, Fraction(1))}
SQUARE = {(2, 0, 0): (Fraction(1), 0), (0, 2, 0): (Fraction(1), 0), (0, 0, 2): (Fraction(1), 0)}


@cache
def harmonic_items(l, m):
    """r^l P_l^m e^(i m phi), by the textbook's recurrence in l."""
    if l < m:
        return ()
    if l == m:
        poly = {(0, 0, 0): (Fraction(1), 0)}
        for k in range(m):
            poly = plus({}, times(poly, PLANAR), 2 * k + 1)
        return tuple(poly.items())

    poly = plus({}, times(Z, dict(harmonic_items(l - 1, m))), Fraction(2 * l - 1, l - m))
    lower = times(SQUARE, dict(harmonic_items(l - 2, m)))
    return tuple(plus(poly, lower, -Fraction(l + m - 1, l - m)).items())


@cache
def function(l, m, n):
    """r^2n r^l Y_lm without its normalisation: (powers, coefficient), real part for m >= 0."""
    poly = dict(harmonic_items(l, abs(m)))
    for _ in range(n):
        poly = times(poly, SQUARE)
    part = 1 if m < 0 else 0
    return [(power, value[part]) for power, value in poly.items() if value[part] != 0]


def norm(l, m):
    m = abs(m)
    value = mp.sqrt((2 * l + 1) / (4 * mp.pi) * mp.factorial(l - m) / mp.factorial(l + m))
    return value * (mp.sqrt(2) if m else 1)


def cartesian_moments(mean, covariance, degree):
    """E[x^p y^q z^r], by Stein's recurrence."""
    moments = {(0, 0, 0): mp.mpf(1)}

    for total in range(1, degree + 1):
        for p in range(total + 1):
            for q in range(total - p + 1):
                power = [p, q, total - p - q]
                axis = next(k for k in range(3) if power[k])
                power[axis] -= 1
                value = mean[axis] * moments[tuple(power)]
                for k in range(3):
                    if power[k]:
                        lower = list(power)
                        lower[k] -= 1
                        value += covariance[axis, k] * power[k] * moments[tuple(lower)]
                power[axis] += 1
                moments[tuple(power)] = value
    return moments


def exact_pair(r, quaternion, diameters, basis, mixing):
    """Coefficients of a centre with one neighbour, flat in the order l, m, n; rounded at the end.

    ``mixing`` is that of `RadialBasis.exact_mixing` for each l, all of as many functions.
    """
    lmax, count = len(mixing) - 1, len(mixing[0])
    w, x, y, z = map(mp.mpf, quaternion)
    length = w * w + x * x + y * y + z * z
    turn = (
        mp.matrix(
            [
                [w * w + x * x - y * y - z * z, 2 * (x * y - w * z), 2 * (x * z + w * y)],
                [2 * (x * y + w * z), w * w - x * x + y * y - z * z, 2 * (y * z - w * x)],
                [2 * (x * z - w * y), 2 * (y * z + w * x), w * w - x * x - y * y + z * z],
            ]
        )
        / length
    )
    semi = [mp.mpf(d) / 2 for d in diameters]
    displacement = mp.matrix([mp.mpf(v) for v in r])

    envelope = 1 / mp.mpf(SIGMA) ** 2 if basis == "gto" else mp.mpf(0)
    precision = turn * mp.diag([1 / a**2 for a in semi]) * turn.T
    covariance = turn * mp.diag([1 / (1 / a**2 + envelope) for a in semi]) * turn.T
    mean = covariance * precision * displacement

    decay = (displacement.T * precision * covariance * displacement)[0] * envelope
    weight = mp.exp(-decay / 2) / mp.fprod(mp.sqrt(1 + a**2 * envelope) for a in semi)

    moments = cartesian_moments(mean, covariance, lmax + 2 * (count - 1))
    values = []
    for l in range(lmax + 1):
        for m in range(-l, l + 1):
            primitive = [
                weight
                * norm(l, m)
                * sum(moments[p] * c.numerator / c.denominator for p, c in function(l, m, n))
                for n in range(count)
            ]
            for k in range(count):
                values.append(sum(primitive[n] * mp.mpf(str(mixing[l][n][k])) for n in range(count)))
    return np.array([float(value) for value in values])


def pair_frame(r, quaternion, diameters):
    atoms = Atoms("H2", positions=[[0, 0, 0], r])
    atoms.set_array("c_q", np.array([quaternion, quaternion]))
    for axis in range(3):
        atoms.set_array(f"c_diameter[{axis + 1}]", np.full(2, diameters[axis]))
    return atoms


def calculator_of(basis, lmax, nmax):
    """With a width for the GTO basis; without self-pairs."""
    well = {"gto": {"radial_gaussian_width": SIGMA, "basis_rcond": 1e-8}, "monomial": {"basis_rcond": 1e-10}}

    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "In quaternion mode", UserWarning)
        return EllipsoidalDensityProjection(
            lmax,
            basis,
            CUTOFF,
            max_radial=nmax,
            rotation_key="c_q",
            subtract_center_contribution=True,
            basis_tol=1e-2,
            **well[basis],
        )


def error_of(calculator, r, quaternion, diameters):
    """Of the coefficients of a centre with one neighbour, relative to the largest."""
    radial = calculator.radial_basis
    mixing = [radial.exact_mixing(l) for l in range(radial.lmax + 1)]
    expected = exact_pair(r, quaternion, diameters, radial.name, mixing)

    frame = pair_frame(r, quaternion, diameters)
    described = calculator.describe([frame], "coefficients", per_centre=True)
    return np.abs(described.values[0] - expected).max() / np.abs(expected).max()


@pytest.mark.parametrize("basis", ["gto", "monomial"])
@pytest.mark.parametrize("diameters", [(3.0, 3.0, 1.0), (3.0, 2.0, 0.8), (2.5, 2.5, 2.5)])
def test_the_largest_basis_of_the_studies(basis, diameters):
    calculator = calculator_of(basis, 9, 6)
    assert error_of(calculator, [1.1, -2.3, 2.9], [0.4, -1.0, 0.7, 0.2], diameters) <= 1e-13


def test_every_l_of_a_high_lmax():
    """Each l relative to its own largest value: high ones are small beside the first."""
    lmax = 20
    calculator = calculator_of("gto", lmax, 0)
    pair = [1.1, -2.3, 2.9], [0.4, -1.0, 0.7, 0.2], (3.0, 2.0, 0.8)
    described = calculator.describe([pair_frame(*pair)], "coefficients", per_centre=True)
    mixing = [calculator.radial_basis.exact_mixing(l) for l in range(lmax + 1)]
    expected = exact_pair(*pair, "gto", mixing)

    for l in range(lmax + 1):
        values, exact = described.of_degree(l)[0], expected[l**2 : (l + 1) ** 2]
        assert np.abs(values - exact).max() <= 1e-13 * np.abs(exact).max(), l


@pytest.mark.parametrize("basis", ["gto", "monomial"])
def test_a_hundred_pairs_of_extreme_shapes(basis):
    generator = np.random.default_rng(7)
    calculator = calculator_of(basis, LMAX, NMAX)

    for k in range(100):
        diameters = 10 ** generator.uniform(-4, 4, 3)
        if k % 4 == 1:
            diameters[1] = diameters[0]
        if k % 4 == 2:
            diameters[:] = diameters[0]
        if k % 4 == 3:
            diameters = generator.uniform(0.5, 4, 3)
        r, quaternion = generator.uniform(-4, 4, 3), generator.normal(size=4)
        if k % 10 == 5:
            r = np.zeros(3)

        assert error_of(calculator, r, quaternion, diameters) <= 1e-10, (r, quaternion, diameters)


@pytest.mark.parametrize(("basis", "l"), [("gto", 0), ("monomial", 60)])
def test_the_largest_basis_is_orthonormal(basis, l):
    """41 functions that are almost alike."""
    scale, count = mp.mpf(SIGMA if basis == "gto" else CUTOFF), 41
    radial = RadialBasis(basis, CUTOFF, SIGMA if basis == "gto" else np.inf, (count,) * (l + 1), 0.0, 1e-8)

    with mp.workdps(130):
        overlap = mp.matrix(count, count)
        for a, b in np.ndindex(count, count):
            power = 2 * (l + a + b) + 3
            overlap[a, b] = scale**power * (
                mp.gamma(mp.mpf(power) / 2) / 2 if basis == "gto" else mp.mpf(1) / power
            )

        mixing = mp.matrix([[mp.mpf(str(value)) for value in row] for row in radial.exact_mixing(l)])
        assert mp.mnorm(mixing.T * overlap * mixing - mp.eye(count)) <= 1e-15


@pytest.mark.parametrize(("basis", "scale"), [("gto", SIGMA), ("monomial", CUTOFF)])
@pytest.mark.parametrize(("lmax", "max_radial"), [(6, None), (9, 6)])
def test_the_orthonormalisation_is_right_to_the_last_digits(basis, scale, lmax, max_radial):
    counts = radial_counts(lmax, max_radial)
    radial = RadialBasis(basis, CUTOFF, SIGMA if basis == "gto" else np.inf, counts, 0.0, 1e-8)
    scale = mp.mpf(scale)

    for l, mixing in enumerate(map(radial.exact_mixing, range(lmax + 1))):
        degrees = [l + 2 * n for n in range(counts[l])]

        def square_norm(k):
            if basis == "gto":
                return scale ** (2 * k + 3) * mp.gamma(k + mp.mpf(3) / 2) / 2
            return scale ** (2 * k + 3) / (2 * k + 3)

        overlap = mp.matrix(
            [
                [square_norm(mp.mpf(a + b) / 2) / mp.sqrt(square_norm(a) * square_norm(b)) for b in degrees]
                for a in degrees
            ]
        )
        values, vectors = mp.eigsy(overlap)
        root = vectors * mp.diag([1 / mp.sqrt(value) for value in values]) * vectors.T
        exact = [
            [float(root[a, b] / mp.sqrt(square_norm(degrees[a]))) for b in range(len(degrees))]
            for a in range(len(degrees))
        ]
        assert np.allclose(np.array(mixing, dtype=float), exact, rtol=1e-15, atol=0)
