"""Read a user's own data into canonical frames."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from ase import Atoms

from anisweep.cell import digest
from anisweep.datasets.canonical import canonical
from anisweep.datasets.errors import DataError, Place
from anisweep.datasets.species import NO_SPECIES
from anisweep.datasets.user_files.conventions import Order
from anisweep.datasets.user_files.diameters import Diameters, check_diameters, diameters_of, unusual_length
from anisweep.datasets.user_files.formats import read_frames
from anisweep.datasets.user_files.frame_checks import check_frame
from anisweep.datasets.user_files.orientations import Orientations, quaternions_of, unusual_order
from anisweep.files import sha256_of

#: The digest of a file without content.
NOTHING = hashlib.sha256().hexdigest()


@dataclass(frozen=True)
class UserFile:
    """Name a file in any format that is read, and say what its particles look like.

    Attributes
    ----------
    orientations : arrays of quaternions or rotation matrices by name, or the stem of their names; ``None``:
        identity
    diameters : three lengths, three for each species, names of arrays, or ``None``: in the file
    orientation_order : of the components of quaternions; ``None``: by convention
    radii : whether ``diameters`` are semi-axes; ``None``: by convention
    file_format : its name; ``None``: what the file itself says
    """

    file: Path
    orientations: Orientations = None
    diameters: Diameters = None
    orientation_order: Order | None = None
    radii: bool | None = None
    file_format: str | None = None

    @cached_property
    def digest(self) -> str:
        """Return the SHA-256 of content and options; of the name only the ending counts, the format."""
        content = content_digest(self.file)
        reading = self._reading()
        given = [self.orientations, self.diameters, *([reading] if reading else [])]
        options = json.dumps(given, sort_keys=True)
        return digest(
            {"content": content, "format": self.file_format or self.file.suffix, "options": options}
        )

    @property
    def made(self) -> str:
        """Return in words where the frames came from."""
        shapes = "the file's own" if self.diameters is None else f"`{self.diameters}`"
        turned = "identity" if self.orientations is None else f"array `{self.orientations}`"
        order = f" in the order {self.orientation_order}" if self.orientation_order else ""
        lengths = {None: "", True: " as semi-axes", False: " as diameters"}[self.radii]
        source = f"`{self.file}`" + (f" (read as {self.file_format})" if self.file_format else "")
        return f"From the file {source}. Orientations: {turned}{order}. Diameters: {shapes}{lengths}."

    def _reading(self) -> dict[str, str | bool]:
        """Return what decides how arrays are read beyond their names; empty for the default.

        The default is (w, x, y, z) and diameters.
        """
        order = self.orientation_order or unusual_order(self.orientations)
        radii = unusual_length(self.diameters) if self.radii is None else self.radii
        return ({"order": order} if order else {}) | ({} if radii is None else {"radii": radii})


def read_user_file(user: UserFile) -> list[Atoms]:
    """Return all frames of a user's file, checked and canonical.

    Raises
    ------
    DataError
        Naming file, frame and array, for everything that AniSOAP could not use.
    """
    frames = []

    for number, atoms in enumerate(read_any(user.file, file_format=user.file_format)):
        place = Place(str(user.file), number)
        check_frame(atoms, place)

        quaternions = quaternions_of(atoms, user.orientations, place, user.orientation_order)
        diameters = diameters_of(atoms, user.diameters, place, user.radii)
        check_diameters(atoms, diameters, place)
        frames.append(canonical(atoms, quaternions, diameters))

    return frames


def read_any(
    path: Path,
    first: int = 0,
    end: int | None = None,
    file_format: str | None = None,
    nameless: bool = False,
) -> Iterator[Atoms]:
    """Read frame after frame, none of them empty; those before ``first`` cost little.

    Parameters
    ----------
    file_format : one of `user_files.readers`, or of ASE; without it the file itself says which
    nameless : whether frames are read whose particles have no species; ``info`` then has ``NO_SPECIES``

    Raises
    ------
    DataError
        When the file is missing, unreadable or without frames.
    """
    if content_digest(path) == NOTHING:
        raise DataError(str(path), "it is empty", "at least one frame", "name the right file")

    number = first
    for number, atoms in enumerate(read_frames(path, file_format, first, end), start=first + 1):
        if len(atoms) == 0:
            place = Place(str(path), number - 1)
            raise place.error("particles", "there are none", "one or more", "remove this frame")
        if NO_SPECIES in atoms.info and not nameless:
            raise atoms.info[NO_SPECIES]
        yield atoms

    if number == 0:
        raise DataError(str(path), "it holds no frame", "at least one frame", "name the right file")


def content_digest(path: Path) -> str:
    """Return the SHA-256 of the bytes of a user's file."""
    try:
        return sha256_of(path)
    except OSError as error:
        came = error.strerror or str(error)
        remedy = "correct the path; in a study correct `file:`, which counts from the root of the project"
        raise DataError(str(path), came, "a file that can be read", remedy) from error
