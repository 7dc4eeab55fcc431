"""Check the hyperparameters, for Python, studies and commands alike, before anything is computed.

Each check returns the value as plain Python has it, also where it came as NumPy's, or raises BadInput.
"""

from __future__ import annotations

from collections.abc import Callable
from numbers import Integral, Real
from typing import Any

import numpy as np

from anisweep.descriptors.errors import BadInput

MOST_THREADS = 1024

#: The highest l; from 86 on, factors of the harmonics leave the range of float64.
LARGEST_LMAX = 60

#: Many more functions than float64 can tell apart; they take seconds already.
LARGEST_MAX_RADIAL = 40

#: Angstrom. What is shorter or longer was given in another unit.
SHORTEST, LONGEST = 1e-3, 1e6

LENGTH = f"a length in Angstrom from {SHORTEST:g} to {LONGEST:,.0f}"

#: Of a value that is not allowed, so much is shown.
SHOWN = 80


def refused(name: str, value: Any, allowed: str, remedy: str, condition: str = "") -> BadInput:
    """Return the error to raise for a value that is not allowed, or not under a condition."""
    return BadInput(f"{name}: {_shown(value)} is not allowed{condition}. Allowed: {allowed}. {remedy}.")


def max_angular(value: Any) -> int:
    """Return the highest l, or refuse it."""
    return _whole("max_angular", value, 0, LARGEST_LMAX, "Give the highest l, for example 6")


def max_radial(value: Any) -> int:
    """Return the k of k + 1 radial functions, or refuse it."""
    return _whole(
        "max_radial", value, 0, LARGEST_MAX_RADIAL, "Give k for k + 1 functions, one k for each l, or None"
    )


def radial_counts(highest: Any, given: Any) -> tuple[int, ...]:
    """Return the number of radial functions for each l.

    Parameters
    ----------
    highest : ``max_angular``
    given : ``max_radial``: None for (lmax - l) // 2 + 1, a whole number k for k + 1, or such a k for each l
    """
    lmax = max_angular(highest)
    if given is None:
        return tuple((lmax - l) // 2 + 1 for l in range(lmax + 1))

    plain = given.tolist() if isinstance(given, np.ndarray) else given
    each = list(plain) if isinstance(plain, (list, tuple)) else [plain] * (lmax + 1)
    if len(each) != lmax + 1:
        allowed = f"{lmax + 1} numbers, one for each l from 0"
        remedy = "Add or remove some, or give one number for all l"
        raise refused("max_radial", each, allowed, remedy, f" with max_angular {lmax}")
    return tuple(max_radial(k) + 1 for k in each)


def precision(value: Any) -> str:
    """Return the precision of the C kernels, or refuse it."""
    if value not in ("fp64", "fp32"):
        raise refused("precision", value, "fp64 or fp32", "Choose fp64, or fp32 for speed")
    return str(value)


def length(name: str, value: Any) -> float:
    """Return a length in Angstrom, or refuse it."""
    number = _number(value)
    if not SHORTEST <= number <= LONGEST:
        raise refused(name, value, LENGTH, f"Convert it to Angstrom, for example {name}=5.0")
    return number


def length_as_float(name: str, value: Any) -> float:
    """Return a length in Angstrom; Python's integers are refused, as by the published package."""
    if type(value) is int:
        remedy = (
            f"It is set as an integer, which could cause overflow errors. Pass in float: {_shown(value)}.0"
        )
        raise refused(name, value, LENGTH, remedy)
    return length(name, value)


def smoothing(value: Any, cutoff: float) -> float:
    """Return the width of the smooth cutoff; zero where nothing fades."""
    if value is None:
        return 0.0

    width = length_as_float("cutoff_smoothing", value)
    if width > cutoff:
        allowed = f"at most cutoff_radius, {cutoff:g}"
        raise refused("cutoff_smoothing", value, allowed, "Choose a smaller one, or None")
    return width


def width(basis: str, value: Any) -> float:
    """Validate ``radial_gaussian_width`` and return it; infinity for the monomial basis."""
    name = "radial_gaussian_width"

    if basis == "gto":
        if value is None:
            remedy = f"Gaussian width must be provided with GTO basis, for example {name}=1.5"
            raise refused(name, None, LENGTH, remedy, " with the gto basis")
        return length_as_float(name, value)

    if basis == "monomial":
        if value is not None:
            remedy = "Gaussian width can only be provided with GTO basis"
            raise refused(name, value, "None", remedy, " with the monomial basis")
        return float("inf")

    raise NotImplementedError(f"{_shown(basis)} is not an implemented basis. Try 'monomial' or 'gto'")


def basis_rcond(value: Any) -> float:
    """Return the eigenvalue of the radial overlap up to which functions are dropped."""
    number = _number(value)
    if not 0 <= number < 1:
        raise refused("basis_rcond", value, "a number from 0 up to, but not including, 1", "Try 1e-8")
    return number


def basis_tol(value: Any) -> float:
    """Return how much of the radial overlap may be dropped."""
    number = _number(value)
    if not 0 < number < float("inf"):
        raise refused("basis_tol", value, "a finite number above 0", "Try 1e-3")
    return number


def threads(value: Any) -> int:
    """Return the number of threads that compute, or refuse it."""
    return _whole("threads", value, 1, MOST_THREADS, "Give as many as the machine has cores, or fewer")


def memory(value: Any) -> float:
    """Return a number of bytes, or refuse it."""
    number = _number(value)
    if not 0 < number < float("inf"):
        raise refused("memory", value, "a finite number of bytes above 0", "Try 2**28, which is 256 MiB")
    return number


def truth(name: str, value: Any) -> bool:
    """Return True or False, and refuse anything else."""
    if not isinstance(value, (bool, np.bool_)):
        raise refused(name, value, "True or False", "Give one of them, without quotation marks")
    return bool(value)


def orientations(rotation_key: Any, rotation_type: Any) -> tuple[str, str]:
    """Return the name of the array of orientations, and whether it holds quaternions or matrices."""
    if not isinstance(rotation_key, str):
        raise refused("rotation_key", rotation_key, "the name of an array of the frames", "For example 'c_q'")
    if not isinstance(rotation_type, str) or rotation_type not in ("quaternion", "matrix"):
        remedy = "We have only implemented transforming quaternions and rotation matrices"
        raise refused("rotation_type", rotation_type, "'quaternion' or 'matrix'", remedy)
    return rotation_key, rotation_type


def no_gradients(value: Any) -> None:
    """Refuse ``compute_gradients``, which the published package does not have either."""
    if truth("compute_gradients", value):
        raise NotImplementedError(
            "Sorry! Gradients have not yet been implemented here: see anisweep.descriptors.gradients"
        )


#: Those whose values stand alone, by name. ``max_radial`` is that of one l.
CHECKS: dict[str, Callable[[Any], Any]] = {
    "max_angular": max_angular,
    "max_radial": max_radial,
    "cutoff_radius": lambda value: length("cutoff_radius", value),
    "radial_gaussian_width": lambda value: length("radial_gaussian_width", value),
    "basis_rcond": basis_rcond,
    "basis_tol": basis_tol,
}


def _whole(name: str, value: Any, least: int, most: int, remedy: str) -> int:
    whole = isinstance(value, Integral) and not isinstance(value, bool)
    if not whole or not least <= int(value) <= most:
        raise refused(name, value, f"a whole number from {least} to {most}", remedy)
    return int(value)


def _number(value: Any) -> float:
    """Return a real number in float64, and NaN, which no limits allow, for anything else."""
    if isinstance(value, bool) or not isinstance(value, Real):
        return float("nan")
    try:
        return float(value)
    except OverflowError:
        return float("inf")


def _shown(value: Any) -> str:
    """Return a value as messages show it: as plain Python writes it, and cut."""
    try:
        text = repr(value.item() if isinstance(value, np.generic) else value)
    except ValueError:  # an integer of thousands of digits
        text = "a number of thousands of digits"
    return text if len(text) <= SHOWN else f"{text[:SHOWN]}..."
