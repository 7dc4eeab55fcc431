"""Prepare data sets as files, which are described beside themselves and refused if somebody changes them."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from ase import Atoms

from anisweep.datasets.canonical_xyz import read, to_text
from anisweep.datasets.errors import DataError
from anisweep.datasets.recipes import Recipe, generated
from anisweep.datasets.species import names_in
from anisweep.datasets.user_files.userfile import UserFile, read_user_file
from anisweep.files import read_bytes, whole
from anisweep.parsing.json_text import read_json
from anisweep.parsing.schema import build


@dataclass(frozen=True)
class Sidecar:
    """Record what is known of a prepared file; it lies beside it as ``<file>.json``.

    Attributes
    ----------
    digest : of the recipe, or of the user's file and its options: the data set's part of a cell's key
    sha256 : of the bytes of the prepared file
    source : the recipe, or the user's file and its options
    made : how the data were made, in words
    """

    digest: str
    sha256: str
    frames: int
    particles: int
    species: list[str]
    source: dict[str, Any]
    made: str


def prepare(source: Recipe | UserFile, path: Path) -> Sidecar:
    """Write a data set as a canonical file, with its sidecar and a README, unless it is there already.

    A crash at any instant leaves at ``path`` nothing or a complete file that its sidecar describes.

    Raises
    ------
    DataError
        When the user's file cannot be used, or a file at ``path`` is not what its sidecar says.
    """
    if path.exists():
        there = verify(path)
        if there.digest == source.digest:
            return there

    frames = list(source.generate()) if isinstance(source, Recipe) else read_user_file(source)
    content = to_text(frames).encode()
    sidecar = _describe(source, frames, content)

    _write(path.with_suffix(".md"), _readme(path, sidecar).encode())

    # The old file goes first and the new one comes last, so none ever stands beside a wrong sidecar.
    path.unlink(missing_ok=True)
    _write(sidecar_path(path), (json.dumps(asdict(sidecar), indent=1) + "\n").encode())
    _write(path, content)

    return sidecar


def verify(path: Path) -> Sidecar:
    """Return the sidecar of a prepared file, after every byte of the file was compared with it.

    Raises
    ------
    DataError
        When the sidecar is missing or broken, or the bytes are others.
    """
    remedy = f"move {path.name} away if you made it yourself, else remove it; it is then prepared anew"
    beside = sidecar_path(path)

    try:
        sidecar = build(Sidecar, read_json(read_bytes(beside)))
    except (OSError, ValueError, TypeError) as error:
        came = f"its sidecar {beside.name} cannot be read ({error})"
        raise DataError(
            str(path), came, "a data file with the sidecar it was written with", remedy
        ) from error

    try:
        found = hashlib.sha256(path.read_bytes()).hexdigest()
    except OSError as error:
        came = f"it cannot be read ({error.strerror})"
        raise DataError(str(path), came, "a prepared data set", remedy) from error

    if found != sidecar.sha256:
        came = f"its content was changed (SHA-256 {found[:12]}...)"
        allowed = f"the bytes that {beside.name} names ({sidecar.sha256[:12]}...)"
        raise DataError(str(path), came, allowed, remedy)

    return sidecar


def canonical_frames(name: str, path: Path) -> Iterator[Atoms]:
    """Yield the canonical frames of a data set, whether or not its file is there yet.

    They may lack energies.
    """
    recipe = generated().get(name)
    return iter(read(path)) if recipe is None else recipe.shapes()


def sidecar_path(path: Path) -> Path:
    """Return ``data/x.xyz.json`` for ``data/x.xyz``."""
    return path.with_name(path.name + ".json")


def _describe(source: Recipe | UserFile, frames: list[Atoms], content: bytes) -> Sidecar:
    return Sidecar(
        digest=source.digest,
        sha256=hashlib.sha256(content).hexdigest(),
        frames=len(frames),
        particles=sum(len(frame) for frame in frames),
        species=sorted({name for frame in frames for name in names_in(frame).values()}),
        source=json.loads(json.dumps(asdict(source), default=str)),
        made=source.made,
    )


def _readme(path: Path, sidecar: Sidecar) -> str:
    rows = {
        "frames": sidecar.frames,
        "particles": sidecar.particles,
        "species": ", ".join(sidecar.species),
        "made from": f"`{json.dumps(sidecar.source, sort_keys=True)}`",
        "digest": f"`{sidecar.digest}`",
        "SHA-256 of the file": f"`{sidecar.sha256}`",
    }
    table = "\n".join(f"| {name} | {value} |" for name, value in rows.items())

    return f"# {path.stem}\n\n{sidecar.made}\n\n| | |\n|---|---|\n{table}\n"


def _write(path: Path, content: bytes) -> None:
    """Write a file completely or not at all, also when the machine stops."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with whole(path) as stream:
            stream.write(content)
    except OSError as error:
        came = f"it cannot be written ({error.strerror})"
        remedy = "make room there, or mend the folder's permissions, and run again"
        raise DataError(str(path), came, "a folder that can be written, with room in it", remedy) from error
