"""Write canonical frames as extended XYZ, and read them again without changing a bit."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any
from urllib.parse import quote, unquote

import numpy as np
from ase import Atoms
from ase.data import chemical_symbols

from anisweep.datasets.canonical import DIAMETERS, ENERGY, LABELS, TOTAL_ENERGY
from anisweep.datasets.errors import DataError
from anisweep.datasets.species import NAMES
from anisweep.datasets.user_files.readers.xyz import read_xyz
from anisweep.formatting import counted

# ASE drops brackets from unquoted names, so ``c_diameter[1]`` would come back as ``c_diameter1``.
PROPERTIES = "pos:R:3:c_q:R:4:" + ":".join(f"{name}:R:1" for name in DIAMETERS)

#: The names of species in a header; they may hold blanks, which no column can.
NAMES_HERE = "names"


def to_text(frames: Iterable[Atoms]) -> str:
    """Return extended XYZ in which every number has its shortest exact form, to be read back bit for bit."""
    return "".join(_frame_text(frame) for frame in frames)


def _frame_text(frame: Atoms) -> str:
    lattice = f'Lattice="{_row(frame.cell.array.ravel())}" ' if frame.pbc.any() else ""
    pbc = " ".join("FT"[int(flag)] for flag in frame.pbc)
    energies = (name for name in (ENERGY, TOTAL_ENERGY) if name in frame.info)
    energy = "".join(f" {name}={float(frame.info[name])!r}" for name in energies)
    column, species = _species(frame)
    labels = [name for name in LABELS if name in frame.arrays]
    properties = f'Properties="{column}:{PROPERTIES}{"".join(f":{name}:R:3" for name in labels)}"'
    header = f'{len(frame)}\n{lattice}{properties} pbc="{pbc}"{energy}{_names_text(frame)}\n'

    widths = [frame.arrays[name] for name in DIAMETERS]
    marks = [frame.arrays[name] for name in labels]
    numbers = np.column_stack([frame.positions, frame.arrays["c_q"], *widths, *marks])
    lines = [f"{one} {_row(row)}\n" for one, row in zip(species, numbers, strict=True)]

    return header + "".join(lines)


def _species(frame: Atoms) -> tuple[str, list[str]]:
    """Return the species' column and its entries: symbols if all are elements, else numbers."""
    if frame.numbers.max(initial=0) < len(chemical_symbols):
        return "species:S:1", [chemical_symbols[number] for number in frame.numbers]
    return "Z:I:1", [str(number) for number in frame.numbers]


def _names_text(frame: Atoms) -> str:
    """Return the names that differ from those of the numbers, as ``names="150:Q0"``."""
    names = frame.info.get(NAMES, {})
    pairs = " ".join(f"{number}:{quote(name, safe='')}" for number, name in sorted(names.items()))
    return f' {NAMES_HERE}="{pairs}"' if pairs else ""


def _names_from(text: str) -> dict[int, str]:
    pairs = (pair.partition(":") for pair in text.split(" "))
    return {int(number): unquote(name) for number, _, name in pairs}


def _row(numbers: Iterable[Any]) -> str:
    return " ".join(repr(float(number)) for number in numbers)


def read(path: Path, frames: int | None = None) -> list[Atoms]:
    """Read the first frames of a canonical file, or all of them.

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

    found = list(read_xyz(path, end=frames))

    for number, frame in enumerate(found):
        missing = {"c_q", *DIAMETERS} - set(frame.arrays)
        if missing:
            came = f"array {sorted(missing)[0]} is missing"
            raise DataError(f"{path}, frame {number}", came, "a canonical frame", prepare_it)
        if NAMES_HERE in frame.info:
            frame.info[NAMES] = _names_from(frame.info.pop(NAMES_HERE))

    if frames is not None and len(found) < frames:
        came = f"{counted(frames, 'frame is', 'frames are')} asked for, {len(found)} there"
        raise DataError(
            str(path), came, f"1 to {counted(len(found), 'frame')}", "lower `frames` in the study"
        )

    return found
