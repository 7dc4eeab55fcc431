"""Say what shape a kind of molecules has, by its moments of inertia, and propose diameters."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from anisweep.formatting import share

Array = np.ndarray[Any, Any]

#: Moments that differ by less than this share count as equal: as near as warm molecules keep a symmetry.
NEAR = 0.1

#: The same for molecules so stiff that what tells their moments apart is rounding.
EXACT = 2e-3

#: A moment that is smaller than this share of the largest is that of a line.
LINE = 1e-2


@dataclass(frozen=True)
class Shape:
    """Describe the molecules of one kind in the first frame.

    Attributes
    ----------
    moments : (3,) means, ascending, as the body axes x, y, z are
    diameters : (3,) along the body axes
    """

    moments: Array
    diameters: Array
    atoms: int

    @property
    def near(self) -> Array:
        """Return (3, 3) booleans: whether two moments count as equal where frames follow one another."""
        return _equal(self.moments, NEAR)

    @property
    def exact(self) -> Array:
        """Return (3, 3) booleans: whether no frame tells two moments apart."""
        return _equal(self.moments, EXACT)

    @property
    def linear(self) -> bool:
        """Return True if the atoms lie on a line, but for what bends it."""
        return bool(self.moments[0] < LINE * self.moments[2])

    @property
    def in_words(self) -> str:
        """Return for example ``a disc, its normal along z``."""
        if self.atoms == 1:
            return "without axes"
        if self.linear:
            return "linear, a rod along x"

        flat, slim = self.near[0, 1], self.near[1, 2]
        if flat and slim:
            return f"a spherical top{self._apart(0, 2)}, without an axis of its own"
        if flat:
            return f"a disc, its normal along z{self._apart(0, 1)}"
        if slim:
            return f"a rod along x{self._apart(1, 2)}"
        return "three different axes, the longest along x"

    def _apart(self, first: int, second: int) -> str:
        """Say how much moments differ that count as equal."""
        if self.exact[first, second]:
            return ""
        apart = 1 - self.moments[first] / self.moments[second]
        between = "".join("xyz"[first : second + 1 : second - first])
        return f" (a near-symmetric top: the moments of {' and '.join(between)} differ by {share(apart)})"


def shape_of(moments: Array, masses: Array, bond: float) -> Shape:
    """Return the shape of a kind.

    The diameters are those of the Gaussian that has the second moments of the molecule's mass: twice the
    standard deviations of its atoms along each axis, and no less than half a bond, since atoms have a size.

    Parameters
    ----------
    moments : (molecules, 3), ascending
    masses : (atoms,)
    bond : the median length of a bond, or 0
    """
    mean = moments.mean(axis=0)
    equal = _equal(mean, NEAR)
    even = equal @ mean / equal.sum(axis=1)

    spread = np.maximum(even.sum() / 2 - even, 0.0) / masses.sum()
    return Shape(mean, np.maximum(2 * np.sqrt(spread), bond / 2 or 1.0), len(masses))


def _equal(moments: Array, tolerance: float) -> Array:
    """Return whether moments are in one group, in which each differs little from the next."""
    groups = np.concatenate([[0], np.cumsum(np.diff(moments) > tolerance * moments[1:])])
    return np.asarray(groups[:, None] == groups)
