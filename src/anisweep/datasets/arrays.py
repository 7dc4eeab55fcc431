"""Arrays of a user's frame, by name."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
from ase import Atoms

from anisweep.datasets.errors import Place

#: Arrays that every frame of ASE has; they describe no shape.
OWN_OF_ASE = ("numbers", "positions")

Array = np.ndarray[Any, Any]


def array_of(atoms: Atoms, name: str, place: Place) -> Array:
    """The array as floats. ``c_diameter[1]`` is also found as ``c_diameter1``, as ASE may have renamed it.

    Raises
    ------
    DataError
        When there is no such array, or it does not hold finite numbers.
    """
    bare = name.replace("[", "").replace("]", "")
    found = next((key for key in (name, bare) if key in atoms.arrays), None)

    if found is None:
        raise place.error(f"array {name}", "it is missing", _there(atoms), _remedy(atoms, name))

    values = np.asarray(atoms.arrays[found])

    if values.dtype.kind not in "fiu":
        came = f"it holds {values.dtype.name} values"
        raise place.error(f"array {name}", came, "real numbers", "name another array, or mend the file")

    broken = np.argwhere(~np.isfinite(values))
    if len(broken):
        came = f"particle {broken[0][0]} has {values[tuple(broken[0])]}"
        raise place.error(f"array {name}", came, "finite numbers", "mend or remove this frame")

    return values.astype(float)


def _there(atoms: Atoms) -> str:
    names = [name for name in atoms.arrays if name not in OWN_OF_ASE]
    return (
        f"one of the arrays of this frame ({', '.join(names)})" if names else "none, this frame has no arrays"
    )


def _remedy(atoms: Atoms, name: str) -> str:
    """Older versions of ASE lost ``c_diameter[1]`` and left ``1:R:1:c_diameter`` in the header."""
    lost = any(re.fullmatch(r"\d:R:\d:\w+", str(key)) for key in atoms.info)

    if lost and "diameter" in name:
        return (
            "the header shows that ASE lost the brackets of `c_diameter[1]` when the file was written, and "
            "the columns with them: give the lengths, in a study `diameters: [3.0, 3.0, 1.0]`, to `anisweep "
            "describe` --diameters '[3.0, 3.0, 1.0]'"
        )

    return (
        "name another array, or give the value in the study (`diameters: [3.0, 3.0, 1.0]`; without "
        "`orientations:` all are the identity) or to `anisweep describe` (--diameters '[3.0, 3.0, 1.0]', "
        "--orientations identity). Of the formats that ASE reads, extended XYZ keeps such arrays"
    )
