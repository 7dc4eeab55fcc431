"""A user's own data, read into canonical frames."""

from __future__ import annotations

import hashlib
import io
import itertools
import json
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
from ase import Atoms

from anisweep.cell import digest
from anisweep.datasets.canonical import canonical
from anisweep.datasets.diameters import Diameters, check_size, diameters_of
from anisweep.datasets.errors import DataError, Place
from anisweep.datasets.orientations import quaternions_of
from anisweep.datasets.xyz_syntax import is_xyz, xyz_frames

#: Frames that ASE reads at a time.
AT_A_TIME = 100

#: The digest of a file without content.
NOTHING = hashlib.sha256().hexdigest()


@dataclass(frozen=True)
class UserFile:
    """A file in any format that ASE reads, and what its particles look like.

    Attributes
    ----------
    orientations : name of an array of quaternions (w, x, y, z) or rotation matrices; ``None``: identity
    diameters : three lengths, three for each species, names of arrays, or ``None``: in the file
    """

    file: Path
    orientations: str | None = None
    diameters: Diameters = None

    @cached_property
    def digest(self) -> str:
        """SHA-256 of the content and the options. The name counts only by its ending, which is the format."""
        content = content_digest(self.file)
        options = json.dumps([self.orientations, self.diameters], sort_keys=True)
        return digest({"content": content, "format": self.file.suffix, "options": options})

    @property
    def made(self) -> str:
        """Where the frames came from, in words."""
        shapes = "the file's own" if self.diameters is None else f"`{self.diameters}`"
        turned = "identity" if self.orientations is None else f"array `{self.orientations}`"
        return f"From the file `{self.file}`. Orientations: {turned}. Diameters: {shapes}."


def read_user_file(user: UserFile) -> list[Atoms]:
    """All frames of a user's file, checked and canonical.

    Raises
    ------
    DataError
        Naming file, frame and array, for everything that AniSOAP could not use.
    """
    frames = []

    for number, atoms in enumerate(read_any(user.file)):
        place = Place(str(user.file), number)
        _check_positions(atoms, place)
        _check_cell(atoms, place)

        quaternions = quaternions_of(atoms, user.orientations, place)
        diameters = diameters_of(atoms, user.diameters, place)
        check_size(diameters, place)
        frames.append(canonical(atoms, quaternions, diameters))

    return frames


def read_any(path: Path, first: int = 0, end: int | None = None) -> Iterator[Atoms]:
    """Frame after frame as ASE reads them, none of them empty; those before ``first`` cost little.

    Raises
    ------
    DataError
        When the file is missing, unreadable or without frames.
    """
    if content_digest(path) == NOTHING:
        raise DataError(str(path), "it is empty", "at least one frame", "name the right file")

    number = first
    try:
        for number, atoms in enumerate(_frames(path, first, end), start=first + 1):
            if len(atoms) == 0:
                place = Place(str(path), number - 1)
                raise place.error("particles", "there are none", "one or more", "remove this frame")
            yield atoms
    except (DataError, MemoryError):
        raise
    except Exception as error:  # each reader of ASE raises its own kinds
        raise DataError(
            f"{path}, frame {number}",
            f"ASE cannot read it ({type(error).__name__}: {error})",
            "a file whose name and content are of one of the formats that `ase info --formats` lists",
            "correct the frame, or write the file again in extended XYZ",
        ) from error

    if number == 0:
        raise DataError(str(path), "it holds no frame", "at least one frame", "name the right file")


def _frames(path: Path, first: int, end: int | None) -> Iterator[Atoms]:
    """As ASE guesses the format; XYZ is divided first, since ASE seeks, which takes hours in .xz."""
    import ase.io  # takes half a second, of every command

    if is_xyz(path):
        texts = itertools.islice(xyz_frames(path), first, end)
        while several := list(itertools.islice(texts, AT_A_TIME)):
            yield from ase.io.iread(io.StringIO("".join(several)), ":", format="extxyz")
    else:
        # Else ASE takes what follows an @ in the name for a selection of frames.
        every = ase.io.iread(path, ":", do_not_split_by_at_sign=True)
        yield from itertools.islice(every, first, end)


def content_digest(path: Path) -> str:
    """SHA-256 of the bytes of a user's file."""
    try:
        with path.open("rb") as stream:
            return hashlib.file_digest(stream, "sha256").hexdigest()
    except OSError as error:
        came = error.strerror or str(error)
        remedy = "correct the path; in a study correct `file:`, which counts from the root of the project"
        raise DataError(str(path), came, "a file that can be read", remedy) from error


def _check_positions(atoms: Atoms, place: Place) -> None:
    broken = np.argwhere(~np.isfinite(atoms.positions))

    if len(broken):
        particle, axis = broken[0]
        came = f"particle {particle} has {'xyz'[axis]} = {atoms.positions[particle, axis]}"
        raise place.error("positions", came, "finite numbers", "mend or remove this frame")


def _check_cell(atoms: Atoms, place: Place) -> None:
    allowed = "a cell with a volume and pbc in all three directions, or pbc in none"

    if atoms.pbc.any() and not atoms.pbc.all():
        came = f"pbc is {' '.join('FT'[int(flag)] for flag in atoms.pbc)}"
        remedy = 'write pbc="T T T" with a cell that is long enough, or pbc="F F F"'
        raise place.error("cell", came, allowed, remedy)

    if not np.isfinite(atoms.cell.array).all():
        raise place.error("cell", "it holds NaN or inf", allowed, "mend or remove this frame")

    # Relative to a cube of the same edges, so that small cells are not taken for flat ones.
    lengths = float(np.prod(atoms.cell.lengths()))
    if atoms.pbc.all() and not atoms.cell.volume > 1e-6 * lengths:
        came = f"pbc is T T T, but the cell has no volume: {atoms.cell.array.tolist()}"
        raise place.error("cell", came, allowed, 'give the frame a Lattice="...", or write pbc="F F F"')
