"""Write oriented particles as extended XYZ."""

from __future__ import annotations

from typing import Any

import numpy as np
from ase import Atoms

from anisweep.datasets.canonical import DIAMETERS
from anisweep.datasets.species import names_in

#: The arrays that are written, in this order, as far as they are there.
ARRAYS = ("c_q", "forces", "torques", "velocities", "angular_momenta", "mass", "moments", *DIAMETERS)

#: Entries of the header, as far as they are there.
SAID = ("timestep", "time", "system", "energy")

#: Ten digits: what a trajectory says, and less than half the size of all bits.
NUMBER = "%.10g"


def text_of(frame: Atoms) -> str:
    """Return the particles of a frame as text.

    The column of names is called ``type``: of one called ``species`` ASE expects elements.
    """
    arrays = [name for name in ARRAYS if name in frame.arrays]
    columns = "".join(f":{name}:R:{_width(frame.arrays[name])}" for name in arrays)
    columns += ":mol:I:1" if "mol" in frame.arrays else ""
    header = [f'Properties="type:S:1:pos:R:3{columns}"', f'pbc="{_flags(frame)}"', *_said(frame)]
    if frame.pbc.any():
        lattice = " ".join(NUMBER % length for length in frame.cell.array.ravel())
        header.insert(0, f'Lattice="{lattice}"')

    numbers = np.column_stack([frame.positions, *(frame.arrays[name] for name in arrays)])
    names = names_in(frame)
    rows = _rows(numbers)
    molecules = [f" {molecule}" for molecule in frame.arrays.get("mol", ())] or [""] * len(frame)
    lines = [
        f"{names[number]} {row}{molecule}\n"
        for number, row, molecule in zip(frame.numbers.tolist(), rows, molecules, strict=True)
    ]
    return f"{len(frame)}\n{' '.join(header)}\n{''.join(lines)}"


def _rows(numbers: np.ndarray[Any, Any]) -> list[str]:
    form = " ".join([NUMBER] * numbers.shape[1])
    return [form % tuple(row) for row in numbers.tolist()]


def _width(values: np.ndarray[Any, Any]) -> int:
    return 1 if values.ndim == 1 else int(values.shape[1])


def _flags(frame: Atoms) -> str:
    return " ".join("FT"[int(flag)] for flag in frame.pbc)


def _said(frame: Atoms) -> list[str]:
    """Return the entries of the header besides cell and columns."""
    said = [f"{key}={frame.info[key]}" for key in SAID if key in frame.info]
    return said + ([f'units="{frame.info["units"]}"'] if "units" in frame.info else [])
