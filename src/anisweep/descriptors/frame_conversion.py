"""Join the arrays of frames that the kernels cannot read themselves, or name what is wrong with them."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod
from typing import Any

import numpy as np

from anisweep.descriptors.arrays import DIAMETERS, FrameArrays
from anisweep.descriptors.errors import BadInput
from anisweep.descriptors.kernels.frame_reader import INTEGER, NUMBERS, POSITIONS, REAL
from anisweep.descriptors.masks import unmasked


def convert(frames: Sequence[Any], rotation_key: str, into: FrameArrays) -> None:
    """Copy what frames hold, converted where nothing is lost by it.

    Parameters
    ----------
    frames : of ase.Atoms
    rotation_key : name of the array of orientations
    into : room for these frames

    Raises
    ------
    BadInput
        an array is missing, of the wrong shape, or holds no numbers
    """
    tables = [frame.arrays for frame in frames]
    lengths = into.counts.tolist()

    def column(name: str, dtype: np.dtype[Any], *shape: int) -> np.ndarray:
        return _join(tables, lengths, name, dtype, shape, into.first)

    rotations = into.rotations
    shape = (3, 3) if rotations.shape[1] == 9 else (4,)
    rotations[:] = column(rotation_key, REAL, *shape).reshape(rotations.shape)
    into.positions[:] = column(POSITIONS, REAL, 3)
    into.numbers[:] = column(NUMBERS, INTEGER)
    for k, name in enumerate(DIAMETERS):
        into.diameters[:, k] = column(name, REAL)

    into.cells[:] = [frame.cell.array for frame in frames]
    into.periodic[:] = [frame.pbc for frame in frames]


def numbers_of(frames: Sequence[Any], first: int) -> tuple[np.ndarray, np.ndarray]:
    """Return (frames,) the number of particles of each, and (particles,) their species."""
    for number, frame in enumerate(frames, first):
        if not hasattr(frame, "arrays"):
            came = f"{frame!r:.60}"
            raise BadInput(f"frame {number} must be an ase.Atoms, and is {came}: ase.io.read(file, ':')")

    tables = [frame.arrays for frame in frames]
    lengths = [len(table.get(NUMBERS, ())) for table in tables]
    return np.array(lengths), _join(tables, lengths, NUMBERS, INTEGER, (), first)


def _join(
    tables: Sequence[dict[str, Any]],
    lengths: list[int],
    name: str,
    wanted: np.dtype[Any],
    shape: tuple[int, ...],
    first: int,
) -> np.ndarray:
    """Join one array of all frames: (particles, ...)."""
    columns = []

    for frame, (table, length) in enumerate(zip(tables, lengths, strict=True), first):
        if name not in table:
            there = ", ".join(sorted(table)) + _hint(name, table)
            raise BadInput(f"frame at index {frame} is missing a required attribute '{name}': it has {there}")

        columns.append(_numbers(table[name], frame, name, wanted))
        came = columns[-1].shape
        if came not in ((length, *shape), (length, prod(shape))):  # ASE reads matrices as nine columns
            raise BadInput(f"frame {frame}: array {name} has shape {came}, not {(length, *shape)}")

    return np.concatenate([column.reshape(-1, *shape) for column in columns])


def _hint(name: str, table: dict[str, Any]) -> str:
    """Return what to do when ASE has changed a name, which it does when it reads XYZ."""
    changed = name.replace("[", "").replace("]", "")
    if name == changed or changed not in table:
        return ""
    return f". ASE's reader drops brackets: frame.arrays['{name}'] = frame.arrays.pop('{changed}')"


def _numbers(column: Any, frame: int, name: str, wanted: np.dtype[Any]) -> np.ndarray:
    """Convert a column, which may be a list, to the wanted type; nothing is cut off silently."""
    try:
        values = unmasked(column, f"frame {frame}: array {name}")
        _check_no_wrap(values, frame, name, wanted)
        return values.astype(wanted, casting="same_kind")
    except BadInput:
        raise
    except (TypeError, ValueError) as error:
        raise BadInput(f"frame {frame}: array {name} does not hold numbers ({error})") from None


def _check_no_wrap(values: np.ndarray, frame: int, name: str, wanted: np.dtype[Any]) -> None:
    """Refuse unsigned integers that would become negative: NumPy takes both for one kind."""
    if values.dtype.kind != "u" or wanted.kind != "i" or not values.size:
        return

    largest = int(values.max())
    if largest > np.iinfo(wanted).max:
        raise BadInput(
            f"frame {frame}: array {name} has {largest}, above {np.iinfo(wanted).max}: give a smaller one"
        )
