"""From ASE frames to plain arrays: every array is gathered once, and what is wrong is named."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from math import prod
from typing import Any

import numpy as np

from anisweep.descriptors.errors import BadInput

#: Frames whose Python objects stay in the cache while their arrays are joined.
AT_A_TIME = 256

DIAMETERS = ("c_diameter[1]", "c_diameter[2]", "c_diameter[3]")
WIDTH = {"quaternion": 4, "matrix": 9}


@dataclass(frozen=True)
class FrameArrays:
    """All particles of all frames, one after another.

    Attributes
    ----------
    positions : (particles, 3), Angstrom
    rotations : (particles, 4) quaternions (w, x, y, z), or (particles, 9) matrices body -> space
    diameters : (particles, 3), Angstrom
    numbers : (particles,) species
    cells : (frames, 3, 3), vectors in rows, Angstrom
    periodic : (frames, 3)
    start : (frames + 1,) first particle of each frame
    """

    positions: np.ndarray
    rotations: np.ndarray
    diameters: np.ndarray
    numbers: np.ndarray
    cells: np.ndarray
    periodic: np.ndarray
    start: np.ndarray

    @cached_property
    def counts(self) -> np.ndarray:
        """Particles of each frame."""
        return np.diff(self.start)

    def where(self, particle: int) -> str:
        """A particle by its place in its frame."""
        frame = int(np.searchsorted(self.start, particle, side="right")) - 1
        return f"frame {frame}, particle {particle - self.start[frame]}"


def gather(frames: Sequence[Any], rotation_key: str, rotation_type: str) -> FrameArrays:
    """Join the arrays of all frames, and check them.

    Parameters
    ----------
    frames : of ase.Atoms, with arrays ``c_diameter[1]``, ``[2]``, ``[3]`` and the orientations
    rotation_key : name of the array of orientations
    rotation_type : ``quaternion`` (w, x, y, z; any length but zero) or ``matrix``

    Raises
    ------
    BadInput
        an array is missing, of the wrong shape, not finite, zero where it must not be
    """
    if len(frames) == 0:
        raise BadInput("no frames: give a list of at least one ase.Atoms")

    counts = np.array([len(frame) for frame in frames], dtype=np.int64)
    tables = [frame.arrays for frame in frames]
    width = WIDTH[rotation_type]

    def column(name: str, dtype: type, shape: tuple[int, ...]) -> np.ndarray:
        return _join(tables, counts, name, dtype, shape)

    rotations = column(rotation_key, float, (4,) if width == 4 else (3, 3))
    diameters = np.empty((int(counts.sum()), 3))
    for axis, name in enumerate(DIAMETERS):
        diameters[:, axis] = column(name, float, ())

    cells = [frame.cell for frame in frames]
    arrays = FrameArrays(
        positions=column("positions", float, (3,)),
        rotations=rotations.reshape(-1, width),
        diameters=diameters,
        numbers=column("numbers", int, ()),
        cells=np.frombuffer(b"".join([cell.array for cell in cells])).reshape(-1, 3, 3),
        periodic=np.frombuffer(b"".join([frame.pbc for frame in frames]), dtype=np.uint8).reshape(-1, 3),
        start=np.concatenate([[0], np.cumsum(counts)]),
    )
    check(arrays, rotation_key)
    return arrays


def check(arrays: FrameArrays, rotation_key: str = "rotations") -> None:
    """Raise ``BadInput`` for numbers that no descriptor can be computed from."""
    _require(arrays, "positions", np.isfinite(arrays.positions), "is not finite")
    _require(arrays, rotation_key, np.isfinite(arrays.rotations), "is not finite")
    _require(arrays, "c_diameter", np.isfinite(arrays.diameters), "is not finite")
    _require(arrays, "c_diameter", arrays.diameters > 0, "is not positive, and a diameter must be")

    if arrays.rotations.shape[1] == 4:
        nonzero = np.einsum("ij,ij->i", arrays.rotations, arrays.rotations) > 1e-200
        _require(arrays, rotation_key, nonzero[:, None], "is a quaternion of length zero: no orientation")
    else:
        matrices = arrays.rotations.reshape(-1, 3, 3)
        square = np.abs(matrices @ matrices.swapaxes(1, 2) - np.eye(3)).max(axis=(1, 2)) < 1e-6
        proper = square & (np.linalg.det(matrices) > 0)
        _require(arrays, rotation_key, proper[:, None], "is no rotation matrix (orthogonal, determinant +1)")

    if not np.isfinite(arrays.cells).all():
        frame = int(np.flatnonzero(~np.isfinite(arrays.cells).all(axis=(1, 2)))[0])
        raise BadInput(f"frame {frame}: its cell is not finite")


def _require(arrays: FrameArrays, name: str, good: np.ndarray, complaint: str) -> None:
    if good.all():
        return

    particle = int(np.flatnonzero(~good.all(axis=1))[0])
    raise BadInput(f"{arrays.where(particle)}: {name} {complaint}")


def _join(
    tables: Sequence[dict[str, np.ndarray]],
    counts: np.ndarray,
    name: str,
    dtype: type,
    shape: tuple[int, ...],
) -> np.ndarray:
    """One array of all frames. Joining bytes is three times faster than np.concatenate on small arrays."""
    wanted = np.dtype(dtype)
    total = int(counts.sum())
    parts = []

    try:
        for first in range(0, len(tables), AT_A_TIME):
            columns: list[Any] = [table[name] for table in tables[first : first + AT_A_TIME]]
            if {column.dtype for column in columns} != {wanted}:
                columns = [np.ascontiguousarray(column, dtype=wanted) for column in columns]
            parts.append(b"".join(columns))
    except KeyError:
        raise BadInput(_missing(tables, name)) from None
    except (AttributeError, TypeError, ValueError, BufferError):
        parts = [_converted(table[name], frame, name, wanted) for frame, table in enumerate(tables)]

    joined = np.frombuffer(parts[0] if len(parts) == 1 else b"".join(parts), dtype=wanted)
    if joined.size != total * prod(shape):
        raise BadInput(_misshapen(tables, name, shape))

    return joined.reshape(-1, *shape)


def _converted(column: Any, frame: int, name: str, wanted: np.dtype[Any]) -> bytes:
    """What is no contiguous array of the right type: a list, a slice."""
    try:
        return np.asarray(column, dtype=wanted).tobytes()
    except (TypeError, ValueError) as error:
        raise BadInput(f"frame {frame}: array {name} does not hold numbers ({error})") from None


def _missing(tables: Sequence[dict[str, np.ndarray]], name: str) -> str:
    frame = _first(tables, lambda table: name not in table)
    there = ", ".join(sorted(tables[frame]))
    return f"frame at index {frame} is missing a required attribute '{name}': it has {there}"


def _misshapen(tables: Sequence[dict[str, np.ndarray]], name: str, shape: tuple[int, ...]) -> str:
    frame = _first(tables, lambda table: np.shape(table[name])[1:] != shape)
    came = np.shape(tables[frame][name])
    wanted = ", ".join(map(str, ("particles", *shape)))
    return f"frame {frame}: array {name} has shape {came}, and must have ({wanted})"


def _first(tables: Sequence[dict[str, np.ndarray]], bad: Callable[[dict[str, np.ndarray]], bool]) -> int:
    return next((i for i, table in enumerate(tables) if bad(table)), 0)
