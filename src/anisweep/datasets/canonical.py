"""Canonical frames: the one form in which every other part of the project sees data.

A canonical frame is an ``ase.Atoms`` with

- ``arrays["c_q"]``, shape (N, 4): unit quaternions (w, x, y, z), body -> space;
- ``arrays["c_diameter[1]"]``, ``[2]``, ``[3]``, shape (N,): diameters along the body axes, Angstrom;
- a periodic cell in all three directions, or none.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import ase.io
import numpy as np
from ase import Atoms
from numpy.typing import ArrayLike

from anisweep.datasets.errors import DataError

DIAMETERS = ("c_diameter[1]", "c_diameter[2]", "c_diameter[3]")

IDENTITY = (1.0, 0.0, 0.0, 0.0)

# ASE drops brackets from unquoted names, so ``c_diameter[1]`` would come back as ``c_diameter1``.
PROPERTIES = "species:S:1:pos:R:3:c_q:R:4:" + ":".join(f"{name}:R:1" for name in DIAMETERS)


def canonical(atoms: Atoms, quaternions: ArrayLike, diameters: ArrayLike) -> Atoms:
    """A canonical frame with the species, positions and cell of ``atoms`` and nothing else of it.

    Parameters
    ----------
    quaternions : shape (4,) or (N, 4); (w, x, y, z), any norm but zero
    diameters : shape (3,) or (N, 3); Angstrom
    """
    periodic = bool(np.any(atoms.pbc))
    cell = atoms.cell.array if periodic else None
    frame = Atoms(atoms.numbers, positions=atoms.positions, cell=cell, pbc=periodic)

    turned = np.broadcast_to(np.asarray(quaternions, dtype=float), (len(frame), 4))
    frame.arrays["c_q"] = normalised(turned)

    widths = np.broadcast_to(np.asarray(diameters, dtype=float), (len(frame), 3))
    for name, width in zip(DIAMETERS, widths.T, strict=True):
        frame.arrays[name] = width.copy()

    return frame


def normalised(quaternions: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """Unit quaternions. Those that are unit to the last digits stay as they are, bit for bit."""
    norms = np.sqrt((quaternions**2).sum(axis=1, keepdims=True))
    norms[np.abs(norms - 1.0) < 1e-15] = 1.0
    return np.asarray(quaternions / norms)


def to_text(frames: Iterable[Atoms]) -> str:
    """Extended XYZ in which every number has its shortest exact form, so reading gives back every bit."""
    return "".join(_frame_text(frame) for frame in frames)


def _frame_text(frame: Atoms) -> str:
    periodic = bool(frame.pbc.all())
    lattice = f'Lattice="{_row(frame.cell.array.ravel())}" ' if periodic else ""
    pbc = "T T T" if periodic else "F F F"
    header = f'{len(frame)}\n{lattice}Properties="{PROPERTIES}" pbc="{pbc}"\n'

    widths = [frame.arrays[name] for name in DIAMETERS]
    numbers = np.column_stack([frame.positions, frame.arrays["c_q"], *widths])
    lines = [f"{symbol} {_row(row)}\n" for symbol, row in zip(frame.symbols, numbers, strict=True)]

    return header + "".join(lines)


def _row(numbers: Iterable[Any]) -> str:
    return " ".join(repr(float(number)) for number in numbers)


def read(path: Path, frames: int | None = None) -> list[Atoms]:
    """The first frames of a canonical file, or all of them.

    Raises
    ------
    DataError
        When the file is not there, is not canonical, or holds fewer frames than are asked for.
    """
    prepare_it = "remove the file and run again, it is then prepared anew"

    if not path.is_file():
        raise DataError(
            str(path), "there is no such file", "a prepared data set", "run `make run` to prepare it"
        )

    # The format is named, so a data set may have any name, whatever ASE would guess from it.
    found: Sequence[Atoms] = ase.io.read(path, index=slice(frames), format="extxyz")

    for number, frame in enumerate(found):
        missing = {"c_q", *DIAMETERS} - set(frame.arrays)
        if missing:
            came = f"array {sorted(missing)[0]} is missing"
            raise DataError(f"{path}, frame {number}", came, "a canonical frame", prepare_it)

    if frames is not None and len(found) < frames:
        came = f"{frames} frames are asked for, {len(found)} are there"
        raise DataError(str(path), came, f"1 to {len(found)} frames", "lower `frames` in the study")

    return list(found)
