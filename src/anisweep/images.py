"""Images: which one this tree wants, whether it is there, and where images are kept.

An image is a SIF file named by its content, ``anisweep-cpu-0123456789ab.sif``: the caches between a staging
folder and the execute points may serve an old file under an unchanged name. Beside it lies a small JSON of
the same name that says what it was made of, so that nothing has to be opened to find it.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
from dataclasses import asdict, dataclass
from pathlib import Path

from anisweep.artifact import sha256_of
from anisweep.cell import digest
from anisweep.config import ConfigError, Project

#: What users have; a folder or a file takes its place where no registry of images is reachable.
DEFAULT_BASE = "python:3.11-slim-bookworm"

#: What every recipe copies into the image.
SHARED = ("install.sh", "environment.sh", "check.py")

PATTERN = "anisweep-*.sif"


@dataclass(frozen=True)
class Wanted:
    """What decides the content of an image.

    Attributes
    ----------
    recipe : its file in containers/, without the ending
    lock : what is installed, relative to the project
    base : an image of a registry, or the absolute path of a root file system or image file
    torch_index : where torch comes from instead of PyPI
    tree : digest of recipe and lock
    inputs : digest of all of these; the base by its content where it is on this machine
    """

    recipe: str
    lock: str
    base: str
    torch_index: str
    tree: str
    inputs: str

    @property
    def name(self) -> str:
        return self.recipe + Path(self.lock).stem.removeprefix("worker")


@dataclass(frozen=True)
class Image:
    """An image that has been built.

    Attributes
    ----------
    file : where it is
    name : cpu, gpu, or cpu-small
    sha256 : of the file
    tree, inputs, base : see `Wanted`
    commit : of the tree that it was built from; it does not decide anything
    """

    file: Path
    name: str
    sha256: str
    tree: str
    inputs: str
    base: str
    commit: str

    def write_note(self) -> None:
        """The JSON beside the image."""
        plain = {**asdict(self), "file": self.file.name}
        self.file.with_suffix(".json").write_text(json.dumps(plain, indent=1) + "\n")


def folder() -> Path:
    """Where images are kept: ANISWEEP_IMAGES, else the user's cache, which all clones share."""
    named = os.environ.get("ANISWEEP_IMAGES")
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    return Path(named) if named else cache / "anisweep" / "images"


def recipes(project: Project) -> list[str]:
    """The recipes by their files."""
    return sorted(path.stem for path in (project.root / "containers").glob("*.def"))


def wanted(project: Project, recipe: str, small: bool = False, base: str = DEFAULT_BASE) -> Wanted:
    """The image that this tree wants.

    Parameters
    ----------
    small : without torch, from envs/worker-small.txt; the image of the tests

    Raises
    ------
    ConfigError
        when there is no such recipe or base
    """
    if recipe not in recipes(project):
        raise ConfigError(
            f"{recipe}: no recipe containers/{recipe}.def. Allowed: {', '.join(recipes(project))}."
        )

    lock = "envs/worker-small.txt" if small else "envs/worker.txt"
    torch_index = "" if small or recipe == "gpu" else os.environ.get("TORCH_INDEX", "")
    texts = [(project.root / "containers" / name).read_text() for name in (f"{recipe}.def", *SHARED)]
    tree = digest([*texts, _without_comments((project.root / lock).read_text())])

    place = str(Path(base).resolve()) if _is_local(base) else base
    inputs = digest([tree, _identity(base), torch_index])
    return Wanted(recipe, lock, place, torch_index, tree, inputs)


def built(where: Path) -> list[Image]:
    """The images of a folder, the newest last."""
    files = sorted(where.glob(PATTERN), key=lambda file: file.stat().st_mtime_ns)
    images = []

    for file in files:
        note = file.with_suffix(".json")
        if note.exists():
            images.append(Image(**{**json.loads(note.read_text()), "file": file}))
    return images


def find(wanted: Wanted, where: Path) -> Image | None:
    """The image of just these inputs, if it is there."""
    matching = [
        image for image in built(where) if image.inputs == wanted.inputs and image.name == wanted.name
    ]
    return matching[-1] if matching else None


def push(image: Image, staging: Path) -> Image:
    """Copy an image to a staging folder, where it appears whole or not at all.

    Raises
    ------
    ConfigError
        when the image is not what it was when it was built
    OSError
        when the folder is full or cannot be written
    """
    target = staging / image.file.name
    partial = staging / f".{image.file.name}.{os.getpid()}"

    if sha256_of(image.file) != image.sha256:
        raise ConfigError(
            f"{image.file}: damaged (its SHA-256 is no longer {image.sha256[:12]}...). Allowed: the file as "
            "it was built. Remove it, then `anisweep image build` makes it again."
        )

    if not target.exists():
        try:
            shutil.copyfile(image.file, partial)
            partial.rename(target)
        finally:
            partial.unlink(missing_ok=True)

    pushed = Image(**{**vars(image), "file": target})
    pushed.write_note()
    return pushed


def outdated(project: Project, where: Path) -> list[Image]:
    """Images whose recipe or lock is no longer this tree's, and older twins of those that are."""
    current = {
        (each.name, each.tree)
        for recipe in recipes(project)
        for each in (wanted(project, recipe), wanted(project, recipe, small=True))
    }
    kept: set[str] = set()
    found = []

    for image in reversed(built(where)):
        if (image.name, image.tree) in current and image.inputs not in kept:
            kept.add(image.inputs)
        else:
            found.append(image)
    return found


def remove(image: Image) -> None:
    """Delete an image and its note."""
    image.file.unlink()
    image.file.with_suffix(".json").unlink()


def url(file: Path) -> str:
    """How a submit file names an image: CHTC's staging folders are reached through the caches."""
    return f"osdf:///chtc{file}" if file.is_relative_to("/staging") else str(file)


def _is_local(base: str) -> bool:
    return "/" in base and Path(base).exists()


def _identity(base: str) -> str:
    """A registry's image by its name, a folder by its installed packages, a file by its bytes."""
    path = Path(base)

    if path.is_absolute() and not path.exists():
        raise ConfigError(
            f"base {base}: no such folder or file. Allowed: an image of a registry (for example "
            f"{DEFAULT_BASE}), a Debian root file system, or an image file."
        )
    if not _is_local(base):
        return base
    if path.is_file():
        return sha256_of(path)

    packages = path / "var" / "lib" / "dpkg" / "status"
    if not packages.exists():
        raise ConfigError(
            f"base {base}: no Debian root file system (it has no {packages.relative_to(path)}). "
            "`mmdebstrap --variant=minbase --include=python3,python3-venv bookworm FOLDER` makes one."
        )
    return hashlib.sha256(packages.read_bytes()).hexdigest()


def _without_comments(lock: str) -> str:
    """The part of a lock that decides what is installed."""
    return re.sub(r"^\s*#.*\n", "", lock, flags=re.MULTILINE)
