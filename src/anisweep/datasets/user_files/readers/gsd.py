"""Read GSD files of HOOMD-blue with the package gsd.

HOOMD's orientations are (w, x, y, z), the box is centred at 0, and the shapes of types are semi-axes for an
ellipsoid and a diameter for a sphere.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from ase import Atoms

from anisweep.datasets.canonical import DIAMETERS
from anisweep.datasets.errors import DataError, Place
from anisweep.datasets.species import remember
from anisweep.datasets.user_files.conventions import WRITTEN_BY
from anisweep.datasets.user_files.keeping import keep
from anisweep.datasets.user_files.labels import Labels
from anisweep.datasets.user_files.readers import Format
from anisweep.formatting import counted

Array = np.ndarray[Any, Any]

#: Arrays that are kept where the file has them. Orientations always are: by default they are 1, 0, 0, 0.
KEPT = ("mass", "charge", "diameter", "body", "moment_inertia", "velocity", "angmom", "image")

AGAIN = "write the file with HOOMD's GSD writer, or copy it again"


def read_gsd(path: Path, first: int = 0, end: int | None = None) -> Iterator[Atoms]:
    """Read frame after frame.

    Raises
    ------
    DataError
        When the package gsd is not there, or the file cannot be read.
    """
    labels = Labels()

    with _opened(path) as trajectory:
        for number in itertools.islice(range(len(trajectory)), first, end):
            yield _frame(trajectory, Place(str(path), number), labels)


def _opened(path: Path) -> Any:
    try:
        import gsd.hoomd
    except ImportError as error:
        came, allowed = "the package gsd, which reads it, is not there", "other formats without this package"
        raise DataError(str(path), came, allowed, "pip install 'anisweep[gsd]'") from error

    try:
        return gsd.hoomd.open(str(path), "r")
    except (RuntimeError, OSError) as error:
        remedy = f"{AGAIN}; decompress it first where it is compressed"
        raise DataError(str(path), f"gsd cannot read it ({error})", "a GSD file of HOOMD", remedy) from error


def _frame(trajectory: Any, place: Place, labels: Labels) -> Atoms:
    try:
        snapshot = trajectory[place.frame]
        snapshot.validate()
    except Exception as error:  # a damaged index raises whatever the bytes lead to
        raise place.error("frame", f"gsd cannot read it ({error})", "a whole frame", AGAIN) from error

    particles = snapshot.particles
    _check_lengths(particles, place)
    names = _names(particles, place)
    cell, pbc = _box(trajectory, snapshot, place)

    frame = Atoms(
        labels.numbers(names, place), positions=particles.position.astype(float), cell=cell, pbc=pbc
    )
    frame.info |= {WRITTEN_BY: "HOOMD", "timestep": int(snapshot.configuration.step)}
    remember(frame, labels.unusual(names))
    keep(frame, _arrays(trajectory, snapshot, place), place)
    return frame


def _check_lengths(particles: Any, place: Place) -> None:
    """Check what gsd itself does not: that every array has as many rows as there are particles."""
    for name in ("position", "orientation", "typeid", *KEPT):
        rows = len(getattr(particles, name))
        if rows != particles.N:
            came = f"it has {counted(rows, 'row')} for {counted(particles.N, 'particle')}"
            raise place.error(f"particles/{name}", came, "a row for each", AGAIN)


def _names(particles: Any, place: Place) -> list[str]:
    """Return the name of each particle's type."""
    types = particles.types
    ids = particles.typeid.tolist()

    if len(ids) and max(ids) >= len(types):
        came = f"type {max(ids)} stands among the particles, and {len(types)} types have names"
        raise place.error("particles/typeid", came, "types that have names", AGAIN)
    return [types[number] for number in ids]


def _box(trajectory: Any, snapshot: Any, place: Place) -> tuple[Array, tuple[bool, bool, bool]]:
    """Return the cell and its periodic directions, two in two dimensions."""
    if not _has(trajectory, place.frame, "configuration/box"):
        raise place.error("configuration/box", "there is none", "a box", AGAIN)

    along_x, along_y, along_z, xy, xz, yz = snapshot.configuration.box.astype(float).tolist()
    flat = along_z == 0 or snapshot.configuration.dimensions == 2
    cell = np.array(
        [[along_x, 0, 0], [xy * along_y, along_y, 0], [xz * along_z, yz * along_z, along_z]],
    )
    return cell, (True, True, not flat)


def _arrays(trajectory: Any, snapshot: Any, place: Place) -> dict[str, Array]:
    """Return orientations, shapes, and whatever else the file has of each particle."""
    particles = snapshot.particles
    arrays = {"orientation": _plain(particles.orientation), "typeid": _plain(particles.typeid)}

    for name in KEPT:
        if _has(trajectory, place.frame, f"particles/{name}"):
            arrays[name] = _plain(getattr(particles, name))

    for name, values in snapshot.log.items():
        if name.startswith("particles/") and len(values) == particles.N:
            arrays[name.removeprefix("particles/")] = _plain(values)

    return arrays | _diameters(particles, place)


def _plain(values: Array) -> Array:
    """Return numbers as those of every other reader."""
    kinds = {"f": np.float64, "i": np.int64, "u": np.int64}
    return np.array(values, dtype=kinds.get(values.dtype.kind))


def _diameters(particles: Any, place: Place) -> dict[str, Array]:
    """Return the diameters that the shapes of the types give; nothing where any of them has other shapes."""
    shapes = particles.type_shapes or []
    there = sorted(set(particles.typeid.tolist()))
    lengths = [_lengths(shapes[number]) if number < len(shapes) else None for number in there]

    if not lengths or None in lengths:
        return {}

    table = np.empty((max(there) + 1, 3))
    table[there] = lengths
    return dict(zip(DIAMETERS, table[particles.typeid].T.copy(), strict=True))


def _lengths(shape: Mapping[str, Any]) -> list[float] | None:
    """Return the diameters of a shape along its axes, if it is an ellipsoid."""
    try:
        if shape.get("type") == "Ellipsoid":
            return [2 * float(shape[axis]) for axis in "abc"]
        if shape.get("type") == "Sphere":
            return [float(shape["diameter"])] * 3
    except (KeyError, TypeError, ValueError):
        pass
    return None


def _has(trajectory: Any, frame: int, name: str) -> bool:
    """Return True if the file has a chunk for a frame: its own, or that of the first one."""
    return any(trajectory.file.chunk_exists(number, name) for number in (frame, 0))


FORMAT = Format(read_gsd, endings=(".gsd",), beginning=re.compile(rb"(\xdf\x65){4}"))
