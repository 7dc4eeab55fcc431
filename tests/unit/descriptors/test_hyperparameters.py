"""Hyperparameters: NumPy's numbers are as good as Python's, and what makes no sense is refused in words."""

import re

import numpy as np
import pytest
from frames_for_tests import projection, random_frame

from anisweep.descriptors import BadInput, EllipsoidalDensityProjection

RIGHT = {"max_angular": 3, "radial_basis_name": "gto", "cutoff_radius": 5.0, "radial_gaussian_width": 1.5}

NAN, INFINITY, HUGE = float("nan"), float("inf"), 10**5000
NO_LENGTHS = [NAN, INFINITY, -INFINITY, -1.0, 0.0, -0.0, 1e-300, 1e-4, 1e7, True, "5", 5 + 0j, [5.0]]
NO_COUNTS = [-1, 10**9, HUGE, True, np.True_, 1.5, 2.0, NAN, "2", 1 + 0j]
NO_SWITCHES = ["no", 1, None]

LENGTH = ("a length in Angstrom from 0.001 to 1,000,000.", "Convert it to Angstrom")
SWITCH = ("True or False.", "without quotation marks")

#: name: values that are refused, what is allowed, what to do
REFUSED = {
    "cutoff_radius": ([*NO_LENGTHS, None], *LENGTH),
    "radial_gaussian_width": (NO_LENGTHS, *LENGTH),
    "cutoff_smoothing": (NO_LENGTHS, *LENGTH),
    "max_angular": ([*NO_COUNTS, None, [3]], "a whole number from 0 to 60.", "Give the highest l"),
    "max_radial": (NO_COUNTS, "a whole number from 0 to 40.", "one k for each l, or None"),
    "basis_rcond": (
        [NAN, INFINITY, -1e-300, -1.0, 1.0, True, "0", None],
        "a number from 0 up to, but not including, 1.",
        "Try 1e-8",
    ),
    "basis_tol": ([NAN, INFINITY, -1.0, 0.0, True, "small", None], "a finite number above 0.", "Try 1e-3"),
    "rotation_key": ([None, 3], "the name of an array of the frames.", "For example 'c_q'"),
    "rotation_type": (
        ["euler", None, ["matrix"]],
        "'quaternion' or 'matrix'.",
        "quaternions and rotation matrices",
    ),
    "subtract_center_contribution": (NO_SWITCHES, *SWITCH),
    "drop_isolated": (NO_SWITCHES, *SWITCH),
    "compute_gradients": (NO_SWITCHES, *SWITCH),
}

TOGETHER = [
    ({"cutoff_radius": 5}, ["cutoff_radius: 5 is", "set as an integer", "Pass in float: 5.0"]),
    (
        {"radial_gaussian_width": 9},
        ["radial_gaussian_width: 9 is", "set as an integer", "Pass in float: 9.0"],
    ),
    ({"cutoff_smoothing": 1}, ["cutoff_smoothing: 1 is", "set as an integer", "Pass in float: 1.0"]),
    (
        {"cutoff_smoothing": 5.5},
        ["cutoff_smoothing: 5.5 is", "Allowed: at most cutoff_radius, 5.", "Choose a smaller one"],
    ),
    (
        {"radial_gaussian_width": None},
        ["radial_gaussian_width: None is", "with the gto basis", "Gaussian width must be provided"],
    ),
    (
        {"radial_basis_name": "monomial"},
        [
            "radial_gaussian_width: 1.5 is",
            "with the monomial basis. Allowed: None",
            "only be provided with GTO basis",
        ],
    ),
    ({"max_radial": [1, 2]}, ["max_radial: [1, 2] is", "Allowed: 4 numbers", "Add or remove"]),
    ({"max_radial": [1, 2, 3, 4, 5]}, ["max_radial: [1, 2, 3, 4, 5] is", "Allowed: 4 numbers"]),
    ({"max_radial": np.array([1, 2])}, ["max_radial: [1, 2] is", "Allowed: 4 numbers"]),
    ({"max_radial": np.array([1.0, 2, 3, 4])}, ["max_radial: 1.0 is", "a whole number from 0 to 40"]),
    ({"max_radial": np.ones((4, 4), int)}, ["max_radial: [1, 1, 1, 1] is", "a whole number"]),
    ({"max_radial": [1, 2, -1, 4]}, ["max_radial: -1 is", "a whole number from 0 to 40"]),
    (
        {"radial_gaussian_width": 1e6, "max_angular": 50, "max_radial": 0},
        ["range of float64", "give lengths in Angstrom"],
    ),
    (
        {"max_radial": 12, "basis_rcond": 1e-2},
        ["Incurred Numerical Imprecision: at l = 0, rcond 0.01 drops", "use fewer functions"],
    ),
]


def alone():
    """Each refused value of each hyperparameter, with what must be said of it."""
    for name, (values, allowed, remedy) in REFUSED.items():
        for place, value in enumerate(values):
            said = [f"{name}: ", f" is not allowed. Allowed: {allowed}", remedy]
            yield pytest.param({name: value}, said, id=f"{name}-{place}")


def kinds():
    yield EllipsoidalDensityProjection
    try:
        from anisweep.descriptors.torch_backend import TorchProjection
    except ImportError:
        return
    yield TorchProjection


@pytest.mark.parametrize(("wrong", "said"), [*alone(), *TOGETHER])
def test_what_makes_no_sense_is_refused_in_the_same_words_everywhere(wrong, said):
    messages = set()
    for kind in kinds():
        with pytest.raises(BadInput) as refusal:
            kind(**(RIGHT | wrong))
        messages.add(str(refusal.value))

    assert len(messages) == 1
    message = messages.pop()
    assert [part for part in said if part not in message] == []
    assert len(message) < 400


@pytest.mark.parametrize("threads", [0, -1, 10**9, 2**64, True, "2", 1.5, None])
def test_threads_that_cannot_be_are_refused(threads):
    with pytest.raises(
        BadInput, match=r"threads: .* is not allowed\. Allowed: a whole number from 1 to 1024"
    ):
        EllipsoidalDensityProjection(**RIGHT, threads=threads)


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        (
            {"radial_basis_name": "nonsense"},
            "'nonsense' is not an implemented basis. Try 'monomial' or 'gto'",
        ),
        ({"radial_basis_name": None}, "None is not an implemented basis"),
        ({"compute_gradients": True}, "Gradients have not yet been implemented here"),
    ],
)
def test_what_is_not_there_is_said_as_by_the_published_package(wrong, message):
    with pytest.raises(NotImplementedError, match=re.escape(message)):
        EllipsoidalDensityProjection(**(RIGHT | wrong))


def features(settings):
    given = {"cutoff": 5.0, "lmax": 3, **settings}
    return projection(**given).power_spectrum([random_frame(4, (1, 6))])


INTEGERS = [np.int8, np.int32, np.int64, np.uint8, np.uint64]


@pytest.mark.parametrize("kind", INTEGERS)
@pytest.mark.parametrize(
    "settings",
    [{"lmax": 4}, {"max_radial": 2}, {"threads": 2}, {"basis": "monomial", "lmax": 2, "max_radial": 1}],
)
def test_integers_of_numpy_give_the_bits_of_those_of_python(settings, kind):
    numpys = {name: kind(value) if isinstance(value, int) else value for name, value in settings.items()}
    assert np.array_equal(features(numpys), features(settings))


@pytest.mark.parametrize("kind", INTEGERS)
@pytest.mark.parametrize("listed", [list, tuple, np.array])
def test_lists_and_arrays_of_integers_of_numpy_are_max_radial(listed, kind):
    orders = [2, 2, 1, 0]
    assert np.array_equal(
        features({"max_radial": listed([kind(k) for k in orders])}), features({"max_radial": orders})
    )


@pytest.mark.parametrize("kind", [np.float16, np.float32, np.float64, np.longdouble, np.int64])
def test_numbers_of_numpy_give_the_bits_of_those_of_python(kind):
    lengths = {"cutoff": 5.0, "radial_gaussian_width": 2.0, "cutoff_smoothing": 1.0}
    shares = {"basis_rcond": 0.0, "basis_tol": 1.0}
    numpys = {name: kind(value) for name, value in (lengths | shares).items()}
    assert np.array_equal(features(numpys), features(lengths | shares))
