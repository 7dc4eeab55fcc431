"""Determine the environment of a measurement: what its lock file installs, and what is installed here."""

from __future__ import annotations

import platform
import re
from dataclasses import dataclass
from importlib import metadata

from packaging.requirements import InvalidRequirement, Requirement

from anisweep.cell import digest
from anisweep.config.project import Project
from anisweep.config.site import LOCAL, Site
from anisweep.environments import images
from anisweep.errors import UserError


@dataclass(frozen=True)
class Environment:
    """Hold the packages of a lock file, and the digest of all that decides what is installed."""

    packages: dict[str, str]
    digest: str


def environment_of(project: Project, site: str, device: str = "cpu") -> Environment:
    """Return the environment of a site: on this machine the worker's lock, on a cluster an image.

    An image's own bytes differ at each build, so its digest is made of recipe, lock and base.
    """
    if site == LOCAL:
        return worker_environment(project)

    wanted = images.wanted_at(Site.read(project), project, device)
    packages = _pinned_here((project.root / wanted.lock).read_text())
    return Environment({**packages, "base": wanted.base, "recipe": wanted.tree[:12]}, wanted.inputs)


def worker_environment(project: Project) -> Environment:
    """Return what the worker's lock installs here.

    The digest covers the lock with its hashes, the version of Python and, where torch comes from
    another index, that index (`make env` writes it down).
    """
    lock = project.root / "envs" / "worker.txt"

    try:
        text = lock.read_text()
    except (OSError, UnicodeDecodeError) as error:
        raise UserError(
            f"{lock}: cannot be read ({error}). Allowed: the lock of the worker. `git checkout` brings it "
            "back; `make lock` writes it anew."
        ) from error

    try:
        packages = _pinned_here(text)
    except InvalidRequirement as error:
        raise UserError(
            f"{lock}: not a lock ({error}). Allowed: lines `name==version`. `make lock` writes it anew."
        ) from error

    packages["python"] = platform.python_version()

    index = project.root / ".venv" / "torch-index"
    if index.exists():
        packages["torch-index"] = index.read_text().strip()

    requirements = "\n".join(line for line in text.splitlines() if not line.lstrip().startswith("#"))
    return Environment(packages, digest({"packages": packages, "lock": requirements}))


def _pinned_here(lock: str) -> dict[str, str]:
    """Return versions by package, of those lines whose marker is true on this machine."""
    lines = re.findall(r"^([A-Za-z0-9][^\\\n]*?)\s*\\?$", lock, re.MULTILINE)
    requirements = [Requirement(line) for line in lines]
    here = (each for each in requirements if each.marker is None or each.marker.evaluate())
    return {each.name.lower(): str(each.specifier).removeprefix("==") for each in here}


def installed_differences(environment: Environment) -> list[str]:
    """List where the running interpreter differs from the lock: ``package: locked, installed``."""
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
