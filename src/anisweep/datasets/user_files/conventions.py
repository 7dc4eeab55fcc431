"""List the conventions of programs: their order of quaternions, and diameters or semi-axes."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

#: The order of a quaternion's components in a file.
Order = Literal["wxyz", "xyzw"]

#: The entry of ``Atoms.info`` that names the program whose file was read, where the reader knows it.
WRITTEN_BY = "written_by"


@dataclass(frozen=True)
class OrderConvention:
    """Give the order of quaternions in arrays of one name.

    Attributes
    ----------
    pattern : regular expression of the whole name, in any case of letters
    program : that wrote the file; empty for any
    order : of the components
    whose : whose convention it is; empty where nothing is known of the name
    sure : whether files of this name have this order, and no other
    """

    pattern: str
    program: str
    order: Order
    whose: str
    sure: bool = True


@dataclass(frozen=True)
class LengthConvention:
    """Say whether lengths in arrays of one name are semi-axes (radii) or diameters.

    Attributes
    ----------
    pattern : regular expression of the whole name, in any case of letters
    radii : whether they are semi-axes
    whose : whose convention it is; empty where nothing is known of the name
    """

    pattern: str
    radii: bool
    whose: str


#: The first entry that fits counts.
ORDERS = (
    OrderConvention(r".*wxyz.*", "", "wxyz", "the name says so"),
    OrderConvention(r".*xyzw.*", "", "xyzw", "the name says so"),
    OrderConvention(r"orientations?", "HOOMD", "wxyz", "HOOMD's convention for `orientation`"),
    OrderConvention(r"orientation", "", "xyzw", "OVITO's convention for `orientation`"),
    OrderConvention(r"c_q", "", "wxyz", "LAMMPS's and AniSOAP's convention for `c_q`"),
    OrderConvention(r"quaternions", "", "wxyz", "ASE's name for LAMMPS's `c_q`"),
    OrderConvention(r"quaternion", "", "wxyz", "AniSOAP's convention for `quaternion`"),
    OrderConvention(r"c_orient", "", "wxyz", "LAMMPS's own order; by OVITO's manual x, y, z, w", sure=False),
    OrderConvention(r"[cfv]_.*", "", "wxyz", "LAMMPS's own order, `quatw quati quatj quatk`", sure=False),
    OrderConvention(r".*", "", "wxyz", "", sure=False),
)

#: The first entry that fits counts.
LENGTHS = (
    LengthConvention(r".*(semi[-_ ]?ax[ei]s|radi(us|i)).*", True, "the name says so"),
    LengthConvention(r"aspherical[-_ ]?shape", True, "OVITO's convention for `aspherical_shape`"),
    LengthConvention(r"([cfv]_)?shape", False, "LAMMPS's convention for `shapex shapey shapez`"),
    LengthConvention(r".*diam.*", False, "the name says so"),
    LengthConvention(r".*", False, ""),
)


def order_by_convention(name: str, program: str) -> OrderConvention:
    """Return the convention for an array of quaternions of this name, from a file of this program."""
    return next(
        convention
        for convention in ORDERS
        if convention.program in ("", program) and re.fullmatch(convention.pattern, name, _FLAGS)
    )


def length_by_convention(name: str) -> LengthConvention:
    """Return the convention for an array of lengths of this name."""
    return next(convention for convention in LENGTHS if re.fullmatch(convention.pattern, name, _FLAGS))


#: Names may hold anything that a file can.
_FLAGS = re.IGNORECASE | re.DOTALL
