"""Read the boxes of LAMMPS: orthogonal, restricted and general triclinic, with any origin."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from anisweep.datasets.errors import Place

Array = np.ndarray[Any, Any]

FLAGS = "two letters of p, f, s and m for each direction, for example pp pp ff"


@dataclass(frozen=True)
class Box:
    """Hold a box, whose first vector points along x and whose second lies in the plane of x and y.

    Attributes
    ----------
    cell : (3, 3), vectors in rows
    origin : where they begin
    turn : (3, 3); turns positions that came in other axes into those of the cell. None: they are the same
    """

    cell: Array
    origin: Array
    pbc: tuple[bool, bool, bool]
    turn: Array | None = None

    def placed(self, scaled: Array) -> Array:
        """Return the positions of particles that are given in fractions of the cell."""
        with np.errstate(all="ignore"):  # what is not finite is refused where positions are checked
            return np.asarray(self.origin + scaled @ self.cell)

    def turned(self, positions: Array) -> Array:
        """Return positions in the axes of the cell."""
        if self.turn is None:
            return positions
        with np.errstate(all="ignore"):
            return np.asarray(self.origin + (positions - self.origin) @ self.turn.T)


def box_of_bounds(lines: Sequence[str], flags: str, place: Place) -> Box:
    """Return the box that BOX BOUNDS of a dump gives, with what stands behind these words."""
    words = flags.split()
    *kind, along_x, along_y, along_z = words if len(words) >= 3 else [*words, "", "", ""]
    pbc = _pbc([along_x, along_y, along_z], place)

    if kind == ["abc", "origin"]:
        table = _table(lines, 4, place)
        return general_box(table[:, :3], table[:, 3], pbc, place)
    if kind == ["xy", "xz", "yz"]:
        table = _table(lines, 3, place)
        return _tilted_box(table, pbc)
    if not kind:
        table = _table(lines, 2, place)
        return restricted_box(table[:, 0], table[:, 1], np.zeros(3), pbc)

    came = f"{' '.join(kind)[:60]!r} stands before the flags of the boundaries"
    raise place.error("BOX BOUNDS", came, "nothing, xy xz yz, or abc origin", "write the dump again")


def restricted_box(low: Array, high: Array, tilts: Array, pbc: tuple[bool, bool, bool]) -> Box:
    """Return the box between two corners, tilted by xy, xz and yz."""
    cell = np.diag(high - low)
    cell[1, 0], cell[2, 0], cell[2, 1] = tilts
    return Box(cell, np.array(low), pbc)


def general_box(vectors: Array, origin: Array, pbc: tuple[bool, bool, bool], place: Place) -> Box:
    """Return the box of three vectors, turned as LAMMPS turns it.

    Inside LAMMPS the first vector points along x and the second lies in the plane of x and y. A dump can give
    positions in the user's axes, while orientations stay in those of LAMMPS. So the positions are turned.
    """
    with np.errstate(all="ignore"):
        handed = np.linalg.det(vectors)

    if not 0 < handed < np.inf:
        came = f"its vectors are {vectors.tolist()}"
        raise place.error("box", came, "three vectors of a right-handed system", "write the file again")

    axes, upper = np.linalg.qr(vectors.T)
    signs = np.sign(np.diag(upper))
    return Box((upper * signs[:, None]).T, np.array(origin), pbc, turn=(axes * signs).T)


def _tilted_box(table: Array, pbc: tuple[bool, bool, bool]) -> Box:
    """Return the tilted box for which a dump gives the bounds of the box around it."""
    xy, xz, yz = table[:, 2]
    below = np.array([min(0.0, xy, xz, xy + xz), min(0.0, yz), 0.0])
    above = np.array([max(0.0, xy, xz, xy + xz), max(0.0, yz), 0.0])
    return restricted_box(table[:, 0] - below, table[:, 1] - above, table[:, 2], pbc)


def _pbc(flags: Sequence[str], place: Place) -> tuple[bool, bool, bool]:
    """Return the directions that are periodic, and refuse a box that does not say it."""
    if not all(len(flag) == 2 and set(flag) <= set("pfsm") for flag in flags):
        came = f"{' '.join(flags).strip()!r} stands for the boundaries"
        remedy = "write behind ITEM: BOX BOUNDS pp pp pp where the box is periodic, ff ff ff where it is not"
        raise place.error("BOX BOUNDS", came, FLAGS, remedy)

    along_x, along_y, along_z = (flag == "pp" for flag in flags)
    return along_x, along_y, along_z


def _table(lines: Sequence[str], columns: int, place: Place) -> Array:
    """Return the numbers of three lines."""
    try:
        table = np.array([line.split() for line in lines], dtype=float)
    except ValueError:
        table = np.empty(0)

    if table.shape != (3, columns) or not np.isfinite(table).all():
        came = f"{' / '.join(line.strip() for line in lines)[:120]!r} came"
        raise place.error("BOX BOUNDS", came, f"three lines of {columns} numbers", "write the dump again")
    return table
