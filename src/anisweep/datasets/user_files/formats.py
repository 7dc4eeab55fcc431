"""Tell which format a user's file has, and read it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from ase import Atoms

from anisweep.datasets.errors import DataError
from anisweep.datasets.user_files.ase_formats import ase_format, read_with_ase
from anisweep.datasets.user_files.readers import allowed, known_formats
from anisweep.datasets.user_files.text_lines import UNREADABLE, name_without_compression, open_bytes

#: What ASE would read, and we refuse, by ASE's names.
REFUSED_OF_ASE = {"lammps-dump-binary": "lammps-binary", "dcd": "dcd", "cp2k-dcd": "dcd"}

#: How a file of a format begins that has no reader here, where nothing else begins so.
BEGINNINGS = (
    (re.compile(rb".{4}CORD", re.DOTALL), "dcd"),
    (re.compile(rb"\x00\x00\x07[\xcb\xe7]"), "xtc"),
    (re.compile(rb"\x00\x00\x07\xc9"), "trr"),
    (re.compile(rb".{8}DUMP(ATOM|CUSTOM)", re.DOTALL), "lammps-binary"),
    (re.compile(rb"---\s+creator: LAMMPS"), "lammps-yaml"),
    (re.compile(rb"begin\s"), "runnerdata"),  # of n2p2 and RuNNer, which also end in .data
)

REFUSED_ENDINGS = {".dcd": "dcd", ".xtc": "xtc", ".trr": "trr", ".pos": "pos", ".bin": "lammps-binary"}

WITH_MDANALYSIS = (
    "convert it: MDAnalysis.Universe(TOPOLOGY, 'FILE').atoms.write('all.xyz', frames='all'), and give shapes "
    "and orientations"
)

#: What is not read, and why; then how to convert it.
REFUSED = {
    "dcd": ("a DCD file, which has neither species nor orientations", WITH_MDANALYSIS),
    "xtc": ("an XTC file, which has neither species nor orientations", WITH_MDANALYSIS),
    "trr": ("a TRR file, which has neither species nor orientations", WITH_MDANALYSIS),
    "pos": ("a .pos file of injavis", "convert it: garnett.write(garnett.read('FILE'), 'all.gsd')"),
    "lammps-binary": (
        "a binary dump of LAMMPS, which can be read on the machine that wrote it only",
        "convert it with LAMMPS's tool: binary2txt FILE",
    ),
    "lammps-yaml": ("a YAML dump of LAMMPS", "write it with `dump ID all custom N FILE id type x y z ...`"),
}


def read_frames(path: Path, file_format: str | None, first: int, end: int | None) -> Iterator[Atoms]:
    """Read the frames of a file by its format, or by the format that is given.

    Raises
    ------
    DataError
        When the format is not known or not read, or the file is not of it.
    """
    name = format_of(path, file_format)
    started = False

    try:
        for frame in _frames(path, name, first, end):
            started = True
            yield frame
    except DataError as error:
        if file_format and not started:
            _check_given(path, file_format, name, error)
        raise


def _frames(path: Path, name: str, first: int, end: int | None) -> Iterator[Atoms]:
    if name in known_formats():
        yield from known_formats()[name].read(path, first, end)
    else:
        yield from read_with_ase(path, name, first, end)


def _check_given(path: Path, given: str, name: str, error: DataError) -> None:
    """Refuse the format that was given, where the file seems to have another one."""
    other = _by_itself(path)

    if other and other != name:
        came = f"it cannot be read as {given}, the format that was given ({error.came})"
        remedy = f"leave out --format, in a study `format:`, or give {other}"
        raise DataError(str(path), came, f"{other}, which it seems to be", remedy) from error


def format_of(path: Path, given: str | None = None) -> str:
    """Return the name of a file's format: the given one, that of its first bytes, or that of its ending.

    Raises
    ------
    DataError
        When nothing says it, or the format cannot be read.
    """
    name = _known(given) if given else _by_itself(path) or ase_format(path)
    name = _in_place_of_ase(name)

    if name in REFUSED:
        what, remedy = REFUSED[name]
        raise DataError(str(path), f"it is {what}", allowed(), remedy.replace("FILE", path.name))
    return name


def _known(given: str) -> str:
    """Return the name of a format that is given as an ending, as in `.dcd`, or in capitals."""
    ending = f".{given.lower().removeprefix('.')}"
    plain = ending.removeprefix(".")
    return _of_ending(ending) or (plain if plain in known_formats() or plain in REFUSED else given)


def _in_place_of_ase(name: str) -> str:
    """Return our name for a format of ASE that we read ourselves or refuse, else ASE's."""
    ours = (own for own, each in known_formats().items() if name in each.in_place_of)
    return next(ours, REFUSED_OF_ASE.get(name, name))


def _of_ending(ending: str) -> str | None:
    ours = (name for name, each in known_formats().items() if ending in each.endings)
    return next(ours, REFUSED_ENDINGS.get(ending))


def taken_for_granted(path: Path, file_format: str | None = None) -> str:
    """Return what reading a file takes for granted because its format cannot say it; empty for nothing."""
    name = format_of(path, file_format)
    return known_formats()[name].unsaid if name in known_formats() else ""


def _by_itself(path: Path) -> str | None:
    """Return the format that the first bytes of a file say, else that of its ending."""
    try:
        with open_bytes(path) as stream:
            beginning = stream.read(4096)
    except UNREADABLE:
        beginning = b""  # whatever reads it will say why it cannot

    return (
        _certain(beginning) or _of_ending(Path(name_without_compression(path)).suffix) or _likely(beginning)
    )


def _certain(beginning: bytes) -> str | None:
    """Return the format that alone begins so."""
    ours = [(each.beginning, name) for name, each in known_formats().items() if each.beginning]
    return next((name for start, name in (*ours, *BEGINNINGS) if start.match(beginning)), None)


def _likely(beginning: bytes) -> str | None:
    """Return the format all of whose hints are there."""
    hinted = ((name, each.hints) for name, each in known_formats().items() if each.hints)
    return next((name for name, hints in hinted if all(hint.search(beginning) for hint in hints)), None)
