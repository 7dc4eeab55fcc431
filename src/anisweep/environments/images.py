"""Find images: which one this clone needs, whether it exists, and where images are kept.

An image is a SIF file named by its content, ``anisweep-cpu-0123456789ab.sif``: the caches between a staging
folder and the execute points may serve an old file under an unchanged name. Beside it lies a small JSON of
the same name that says what it was made of, so that nothing has to be opened to find it.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import shlex
import shutil
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from anisweep.cell import digest
from anisweep.config.project import Project
from anisweep.config.site import DEFAULT_BASE, Site
from anisweep.errors import UserError
from anisweep.files import read_bytes, sha256_of, whole
from anisweep.parsing.json_text import read_json

#: What every recipe copies into the image.
SHARED = ("install.sh", "environment.sh", "check.py")

PATTERN = "anisweep-*.sif"


@dataclass(frozen=True)
class WantedImage:
    """Name what decides the content of an image.

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
        """Return the name of the image: cpu, gpu, or cpu-small."""
        return self.recipe + Path(self.lock).stem.removeprefix("worker")


@dataclass(frozen=True)
class Image:
    """Describe an image that has been built.

    Attributes
    ----------
    file : where it is
    name : cpu, gpu, or cpu-small
    sha256 : of the file
    tree, inputs, base : see `WantedImage`
    commit : of the tree that it was built from; it does not decide anything
    """

    file: Path
    name: str
    sha256: str
    tree: str
    inputs: str
    base: str
    commit: str

    def note(self) -> str:
        """Return the text of the JSON beside the image."""
        return json.dumps({**asdict(self), "file": self.file.name}, indent=1)

    def write_note(self) -> None:
        """Write the JSON beside the image."""
        self.file.with_suffix(".json").write_text(self.note() + "\n")


def folder() -> Path:
    """Return the folder of images: ANISWEEP_IMAGES, else the user's cache, which all clones share."""
    named = os.environ.get("ANISWEEP_IMAGES")
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    return Path(named) if named else cache / "anisweep" / "images"


def recipes(project: Project) -> list[str]:
    """Return the names of all recipes, sorted."""
    return sorted(path.stem for path in (project.root / "containers").glob("*.def"))


def wanted(project: Project, recipe: str, small: bool = False, base: str = DEFAULT_BASE) -> WantedImage:
    """Return the image that this tree wants.

    Parameters
    ----------
    small : without torch, from envs/worker-small.txt; the image of the tests

    Raises
    ------
    UserError
        when there is no such recipe or base
    """
    if recipe not in recipes(project):
        raise UserError(
            f"{recipe}: no recipe containers/{recipe}.def. Allowed: {', '.join(recipes(project))}."
        )

    lock = "envs/worker-small.txt" if small else "envs/worker.txt"
    torch_index = "" if small or recipe == "gpu" else os.environ.get("TORCH_INDEX", "")
    texts = [(project.root / "containers" / name).read_text() for name in (f"{recipe}.def", *SHARED)]
    tree = digest([*texts, _without_comments((project.root / lock).read_text())])

    place = str(Path(base).resolve()) if _is_local(base) else base
    inputs = digest([tree, _identity(base), torch_index])
    return WantedImage(recipe, lock, place, torch_index, tree, inputs)


def wanted_at(site: Site, project: Project, device: str = "cpu") -> WantedImage:
    """Return the image that this tree's jobs run in at a site, on a device."""
    recipe = "gpu" if device == "cuda" else "cpu"
    return wanted(project, recipe, site.image.small and recipe == "cpu", site.image.base)


def built(where: Path) -> list[Image]:
    """Return the images of a folder, the newest last."""
    files = sorted(where.glob(PATTERN), key=lambda file: file.stat().st_mtime_ns)
    images = []

    for file in files:
        note = file.with_suffix(".json")
        if note.exists():
            images.append(_described(file, note))
    return images


def _described(file: Path, note: Path) -> Image:
    try:
        return Image(**{**read_json(read_bytes(note)), "file": file})
    except (OSError, ValueError, TypeError) as error:
        raise UserError(
            f"{note}: it cannot be read ({error}). Allowed: the file that `anisweep image take` writes.\n"
            f"Remove it and {file.name}, and take or push that image again."
        ) from error


def find(wanted: WantedImage, where: Path) -> Image | None:
    """Return the image of just these inputs, or None if it is not there."""
    matching = [
        image for image in built(where) if image.inputs == wanted.inputs and image.name == wanted.name
    ]
    return matching[-1] if matching else None


def difference(image: Image, wanted: WantedImage) -> str:
    """Return what an image was made of, and what is wanted, where the two differ."""
    said = []

    if image.tree != wanted.tree:
        which = shlex.join(["git", "diff", image.commit, "--", "containers", wanted.lock])
        said.append(
            f"recipe and lock have the digest {image.tree[:12]} there and {wanted.tree[:12]} here "
            f"(`{which}` says which of them)"
        )
    if image.base != wanted.base:
        said.append(f"its base is {image.base}, and {wanted.base} is wanted")
    if not said:
        said.append(
            f"base or TORCH_INDEX have other content: digest {image.inputs[:12]} there and "
            f"{wanted.inputs[:12]} here"
        )
    return "; ".join(said)


def push(image: Image, staging: Path) -> Image:
    """Copy an image to a staging folder, where it appears whole or not at all.

    Raises
    ------
    UserError
        when the image is not what it was when it was built
    OSError
        when the folder is full or cannot be written
    """
    target = staging / image.file.name

    if sha256_of(image.file) != image.sha256:
        raise UserError(
            f"{image.file}: damaged (its SHA-256 is no longer {image.sha256[:12]}...). Allowed: the file as "
            "it was built. Remove it, then `anisweep image build` makes it again."
        )

    if not target.exists():
        with image.file.open("rb") as source, whole(target) as stream:
            shutil.copyfileobj(source, stream)

    pushed = replace(image, file=target)
    pushed.write_note()
    return pushed


def outdated(project: Project, where: Path) -> list[Image]:
    """Return the images whose recipe or lock is no longer this tree's, and older twins of current ones."""
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
    """Return the name by which a submit file asks for an image.

    CHTC's personal staging folders are reached through the caches; those of groups are read where they are
    mounted.
    """
    if is_mounted_only(file):
        return f"file://{file}"
    return f"osdf:///chtc{file}" if file.is_relative_to("/staging") else str(file)


def is_mounted_only(file: Path) -> bool:
    """Return True if only machines with CHTC's staging folders mounted can read this file."""
    return file.is_relative_to("/staging/groups")


def _is_local(base: str) -> bool:
    return "/" in base and Path(base).exists()


def _identity(base: str) -> str:
    """Identify a base: an image of a registry by its name, a folder by its packages, a file by its bytes."""
    path = Path(base)

    if path.is_absolute() and not path.exists():
        raise UserError(
            f"base {base}: no such folder or file. Allowed: an image of a registry (for example "
            f"{DEFAULT_BASE}), a Debian root file system, or an image file."
        )
    if not _is_local(base):
        return base
    if path.is_file():
        return sha256_of(path)

    packages = path / "var" / "lib" / "dpkg" / "status"
    if not packages.exists():
        raise UserError(
            f"base {base}: no Debian root file system (it has no {packages.relative_to(path)}). "
            "`mmdebstrap --variant=minbase --include=python3,python3-venv bookworm FOLDER` makes one."
        )
    return hashlib.sha256(packages.read_bytes()).hexdigest()


def _without_comments(lock: str) -> str:
    """Return the part of a lock that decides what is installed."""
    return re.sub(r"^\s*#.*\n", "", lock, flags=re.MULTILINE)
