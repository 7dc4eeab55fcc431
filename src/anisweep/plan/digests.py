"""What makes a measurement a different one: the code that ran, and the environment it ran in."""

from __future__ import annotations

import platform
import re
from dataclasses import dataclass
from functools import lru_cache
from importlib import metadata
from pathlib import Path

from packaging.requirements import InvalidRequirement, Requirement

from anisweep.cell import digest
from anisweep.config import ConfigError, Project
from anisweep.site import LOCAL, Site
from anisweep.source import imported_sources, source_digest

PACKAGE = Path(__file__).resolve().parents[1]


@dataclass(frozen=True)
class Environment:
    """The packages of a lock file, and the digest of all that decides what is installed."""

    packages: dict[str, str]
    digest: str


@lru_cache
def code_files(mode: str) -> dict[str, str]:
    """Digest of each source file that a mode's measurement runs through, by module name.

    Those are the worker, the mode's own file, and what they import of this package. Comments,
    docstrings and blank lines do not count.
    """
    roots = [PACKAGE / "modes" / f"{mode}.py", *sorted((PACKAGE / "worker").glob("*.py"))]
    files: dict[str, Path] = {}

    for root in roots:
        module = "anisweep." + ".".join(root.relative_to(PACKAGE).with_suffix("").parts)
        files[module] = root
        files.update(imported_sources(root, PACKAGE))

    return {module: source_digest(path) for module, path in sorted(files.items())}


def code_digest(mode: str) -> str:
    """One digest for all the files of `code_files`."""
    return digest(code_files(mode))


def environment_of(project: Project, site: str, device: str = "cpu") -> Environment:
    """What cells are measured in: on this machine the worker's lock, on a cluster an image.

    An image's own bytes differ at each build, so its digest is made of recipe, lock and base.
    """
    if site == LOCAL:
        return worker_environment(project)

    wanted = Site.read(project).wanted_image(project, device)
    packages = _pinned_here((project.root / wanted.lock).read_text())
    return Environment({**packages, "base": wanted.base, "recipe": wanted.tree[:12]}, wanted.inputs)


def worker_environment(project: Project) -> Environment:
    """What the worker lock installs here.

    The digest covers the lock with its hashes, the version of Python and, where torch comes from
    another index, that index (`make env` writes it down).
    """
    lock = project.root / "envs" / "worker.txt"

    try:
        text = lock.read_text()
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(
            f"{lock}: cannot be read ({error}). Allowed: the lock of the worker. `git checkout` brings it "
            "back; `make lock` writes it anew."
        ) from error

    try:
        packages = _pinned_here(text)
    except InvalidRequirement as error:
        raise ConfigError(
            f"{lock}: not a lock ({error}). Allowed: lines `name==version`. `make lock` writes it anew."
        ) from error

    packages["python"] = platform.python_version()

    index = project.root / ".venv" / "torch-index"
    if index.exists():
        packages["torch-index"] = index.read_text().strip()

    requirements = "\n".join(line for line in text.splitlines() if not line.lstrip().startswith("#"))
    return Environment(packages, digest({"packages": packages, "lock": requirements}))


def _pinned_here(lock: str) -> dict[str, str]:
    """Versions by package, of those lines whose marker is true on this machine."""
    lines = re.findall(r"^([A-Za-z0-9][^\\\n]*?)\s*\\?$", lock, re.MULTILINE)
    requirements = [Requirement(line) for line in lines]
    here = (each for each in requirements if each.marker is None or each.marker.evaluate())
    return {each.name.lower(): str(each.specifier).removeprefix("==") for each in here}


def installed_differences(environment: Environment) -> list[str]:
    """Where the running interpreter differs from the lock: ``package: locked, installed``."""
    differences = []

    for name, locked in environment.packages.items():
        if name in ("python", "torch-index"):
            continue
        try:
            installed = metadata.version(name)
        except metadata.PackageNotFoundError:
            installed = "not at all"
        if installed.split("+")[0] != locked:
            differences.append(f"{name}: locked {locked}, installed {installed}")

    return differences
