"""Read energies, forces, torques and stresses of a user's frames, by name."""

from __future__ import annotations

from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np
from ase import Atoms

from anisweep.datasets.errors import DataError, Place
from anisweep.datasets.user_files.arrays import columns_of, missing_arrays, values_of
from anisweep.datasets.user_files.userfile import read_any
from anisweep.descriptors.arrays import FrameArrays
from anisweep.descriptors.errors import BadInput
from anisweep.models.labels import TrainingLabels

#: What each kind is called where a user says nothing.
USUAL = {
    "energies": ("energy",),
    "forces": ("forces", "force", "fx,fy,fz"),
    "torques": ("torques", "torque", "tx,ty,tz", "tqx,tqy,tqz"),
    "stresses": ("stress", "virial"),
}

#: Kinds that are an array of each particle; the others stand in the header of a frame.
OF_PARTICLES = ("forces", "torques")

#: The sum of stress and virial over the volume is zero.
VIRIAL = "virial"

#: A net force of so large a part of what unrelated forces would have is said.
UNBALANCED = 0.01


@dataclass(frozen=True)
class LabelNames:
    """Say what the labels are called in a file; None: by one of the usual names.

    Forces and torques are arrays of three columns, or three arrays as ``fx,fy,fz``.
    """

    energies: str | None = None
    forces: str | None = None
    torques: str | None = None
    stresses: str | None = None

    def in_frame(self, frame: Atoms, place: Place) -> dict[str, str]:
        """Return the name of each kind that a frame has."""
        there = {}
        for field in fields(self):
            given = getattr(self, field.name)
            for name in USUAL[field.name] if given is None else (given,):
                if _has(frame, field.name, name, place):
                    there[field.name] = name
                    break
        return there

    def in_file(self, file: Path, file_format: str | None) -> dict[str, str]:
        """Return the name of each kind that the file's first frame has.

        Raises
        ------
        DataError
            When a name that was given is in none of its frames, or none of the usual ones in the first.
        """
        wanted = {field.name for field in fields(self) if getattr(self, field.name) is not None}
        first: dict[str, str] | None = None
        for number, frame in enumerate(read_any(file, file_format=file_format)):
            there = self.in_frame(frame, Place(str(file), number))
            first = there if first is None else {**there, **first}
            if first and wanted <= set(first):
                return first
            others = ", ".join([*frame.info, *(name for name in frame.arrays if name != "numbers")])

        missing = sorted(wanted - set(first or {}))
        what = getattr(self, missing[0]) if missing else "energy, forces, torques or stress"
        remedy = (
            "name them with --energies, --forces, --torques or --stresses; forces on atoms become labels of "
            "particles by `anisweep coarsen`"
        )
        raise DataError(str(file), f"no frame has {what}", f"among {others}", remedy)

    def read(self, frame: Atoms, place: Place) -> dict[str, Any]:
        """Return the labels of a frame by their kind, None for a kind that it has not."""
        there = self.in_frame(frame, place)
        found: dict[str, Any] = {field.name: None for field in fields(self)}
        for kind, name in there.items():
            if kind in OF_PARTICLES:
                found[kind] = values_of(frame, columns_of(frame, name, ("xyz",), place), place)
            else:
                found[kind] = frame.info[name]

        if found["stresses"] is not None:
            found["stresses"] = _stress(found["stresses"], there["stresses"], frame)
        return found


def _has(frame: Atoms, kind: str, name: str, place: Place) -> bool:
    if kind not in OF_PARTICLES:
        return name in frame.info
    return not missing_arrays(frame, columns_of(frame, name, ("xyz",), place))


def _stress(given: Any, name: str, frame: Atoms) -> Any:
    """Return nine numbers as a matrix, and a virial as a stress."""
    numbers = np.asarray(given)
    if numbers.dtype.kind not in "fi":
        return given

    stress = numbers.reshape(3, 3) if numbers.size == 9 else numbers
    return -stress / (abs(frame.cell.volume) or 1) if name == VIRIAL else stress


def checked(file: Path, arrays: FrameArrays, found: list[dict[str, Any]]) -> TrainingLabels:
    """Return the labels of some frames.

    Raises
    ------
    DataError
        For what has a wrong shape or is not finite, naming frame and particle.
    """
    try:
        return TrainingLabels.of(arrays, **{kind: [each[kind] for each in found] for kind in USUAL})
    except BadInput as error:
        allowed = "finite labels of the right shape, or none in this frame"
        raise DataError(f"{file}, labels", str(error), allowed, "mend or remove this frame") from error


def net_force(labels: TrainingLabels, arrays: FrameArrays) -> str:
    """Return in words the first net force that forces between particles cannot have; else ""."""
    for frame, (begin, end) in enumerate(zip(arrays.start, arrays.start[1:], strict=False)):
        forces = labels.forces[begin:end]
        net, size = float(np.linalg.norm(forces.sum(axis=0))), float(np.linalg.norm(forces))
        if net > UNBALANCED * size:  # which is False for NaN
            return (
                f"frame {arrays.first + frame} has a net force of {net:.3g}, where the root of all squares "
                f"is {size:.3g}. Particles alone cannot pull themselves, so a model cannot learn this"
            )
    return ""
