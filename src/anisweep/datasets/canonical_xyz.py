"""Canonical frames as extended XYZ, written so that reading gives back every bit."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from ase import Atoms

from anisweep.datasets.canonical import DIAMETERS, ENERGY
from anisweep.datasets.errors import DataError

# ASE drops brackets from unquoted names, so ``c_diameter[1]`` would come back as ``c_diameter1``.
PROPERTIES = "species:S:1:pos:R:3:c_q:R:4:" + ":".join(f"{name}:R:1" for name in DIAMETERS)


def to_text(frames: Iterable[Atoms]) -> str:
    """Extended XYZ in which every number has its shortest exact form, so reading gives back every bit."""
    return "".join(_frame_text(frame) for frame in frames)


def _frame_text(frame: Atoms) -> str:
    periodic = bool(frame.pbc.all())
    lattice = f'Lattice="{_row(frame.cell.array.ravel())}" ' if periodic else ""
    pbc = "T T T" if periodic else "F F F"
    energy = f" {ENERGY}={float(frame.info[ENERGY])!r}" if ENERGY in frame.info else ""
    header = f'{len(frame)}\n{lattice}Properties="{PROPERTIES}" pbc="{pbc}"{energy}\n'

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

    import ase.io  # takes half a second, of every command

    # Opened here and with its format, so that ASE reads nothing into the name.
    with path.open() as stream:
        found: Sequence[Atoms] = ase.io.read(stream, index=slice(frames), format="extxyz")

    for number, frame in enumerate(found):
        missing = {"c_q", *DIAMETERS} - set(frame.arrays)
        if missing:
            came = f"array {sorted(missing)[0]} is missing"
            raise DataError(f"{path}, frame {number}", came, "a canonical frame", prepare_it)

    if frames is not None and len(found) < frames:
        came = f"{frames} frames are asked for, {len(found)} are there"
        raise DataError(str(path), came, f"1 to {len(found)} frames", "lower `frames` in the study")

    return list(found)
