"""Read files through ASE, and refuse what its readers lose or make up without a word."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from ase import Atoms

from anisweep.datasets.errors import DataError, Place
from anisweep.datasets.species import remember
from anisweep.datasets.user_files.labels import Labels
from anisweep.datasets.user_files.readers import allowed
from anisweep.datasets.user_files.text_lines import compression_of, open_lines

#: Formats of ASE's own, which keep frames as they are.
EXACT = ("traj", "json", "db", "bundletrajectory")

#: Formats with names of atoms, of which ASE makes elements: of the bead PO4 polonium.
WITH_NAMES = ("gromacs", "proteindatabank")


def ase_format(path: Path) -> str:
    """Return ASE's name for the format of a file, by name or content.

    Raises
    ------
    DataError
        When ASE does not know it.
    """
    from ase.io.formats import filetype, ioformats

    try:
        name = str(filetype(str(path)))
    except Exception:  # each test of a content raises its own kinds
        name = ""

    _check_ending(path)
    if name not in ioformats:  # where nothing fits ASE takes the ending for a format
        came = "neither its name nor its content says which format it has"
        remedy = "name the format with --format, in a study with `format:`"
        raise DataError(str(path), came, allowed(), remedy)
    return name


def read_with_ase(path: Path, name: str, first: int, end: int | None) -> Iterator[Atoms]:
    """Read frame after frame with ASE.

    Raises
    ------
    DataError
        When ASE does not know the format or cannot read the file, and when it seems to have lost something.
    """
    _check_known(path, name)
    _check_ending(path)
    number = first
    labels = Labels() if name in WITH_NAMES and not _has_elements(path, name) else None

    try:
        for number, atoms in enumerate(_frames(path, name, first, end), start=first):
            place = Place(str(path), number)
            if name not in EXACT:
                _check(atoms, place, name)
            yield _named(atoms, labels, place) if labels else atoms
    except (DataError, MemoryError):
        raise
    except Exception as error:  # each reader of ASE raises its own kinds
        raise DataError(
            f"{path}, frame {number}",
            f"ASE cannot read it as {name} ({type(error).__name__}: {error})",
            allowed(),
            "mend the file; if it has another format, name that with --format, in a study with `format:`",
        ) from error


def _frames(path: Path, name: str, first: int, end: int | None) -> Iterator[Atoms]:
    import ase.io

    # Else ASE takes what follows an @ in the name for a selection of frames.
    every = ase.io.iread(path, ":", format=name, do_not_split_by_at_sign=True)
    if name == "proteindatabank":
        every = (atoms for atoms in every if len(atoms))  # it takes END behind the last model for one more
    yield from itertools.islice(every, first, end)


def _has_elements(path: Path, name: str) -> bool:
    """Return True if a file says the elements: in PDB the columns 77 and 78 of each atom."""
    if name != "proteindatabank":
        return False

    with open_lines(path) as lines:
        while line := lines.next():
            if line.startswith(("ATOM", "HETATM")) and not line[76:78].strip():
                return False
    return True


def _named(atoms: Atoms, labels: Labels, place: Place) -> Atoms:
    """Return the frame with the names of the atoms for species, where the file says nothing else of them."""
    names = [str(atom).strip() for atom in atoms.arrays["atomtypes"]]
    atoms.numbers = labels.numbers(names, place)
    remember(atoms, labels.unusual(names))
    return atoms


def _check_known(path: Path, name: str) -> None:
    from ase.io.formats import ioformats

    if name not in ioformats or not ioformats[name].can_read:
        raise DataError(
            str(path), f"there is no format {name!r} that can be read", allowed(), "name one of these"
        )

    if path.suffix.lower() == ".zst":
        remedy = f"decompress it first: zstd -d {path.name}"
        raise DataError(str(path), f"ASE reads no {name} that is compressed with zstd", allowed(), remedy)


def _check_ending(path: Path) -> None:
    """Refuse a compressed file whose name does not say so: ASE goes by the name."""
    try:
        ending = compression_of(path)
    except OSError:
        return  # whatever reads it will say why it cannot

    if ending and path.suffix.lower() != ending:
        came = f"it is compressed as {ending}, and its name does not say so"
        remedy = f"give it the ending: mv {path.name} {path.name}{ending}"
        raise DataError(str(path), came, f"the ending {ending} for files that ASE reads", remedy)


def _check(atoms: Atoms, place: Place, name: str) -> None:
    """Refuse frames with values that ASE has filled in where it has read nothing."""
    if len(atoms) > 1 and not np.ptp(atoms.positions, axis=0).any():
        came = f"ASE's reader of {name} gives all {len(atoms)} particles the same place"
        raise place.error("positions", came, "a place for each", "write the file in extended XYZ")

    unknown = np.flatnonzero(atoms.numbers == 0)
    if len(unknown):
        came = f"ASE's reader of {name} finds no element for particle {unknown[0]}"
        raise place.error("species", came, "an element for each", "write the file in extended XYZ")
