"""Make root file systems from Debian's packages, once, and cache them by the digest of their recipe."""

from __future__ import annotations

import hashlib
import shutil
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

from condor.pool.cache import alone, cache
from condor.pool.machine import install_programs
from condor.pool.nodes import USER_ID


@dataclass(frozen=True)
class RootFS:
    """Describe the recipe of a root file system.

    Attributes
    ----------
    purpose : said before it is made
    suite : of Debian
    packages : what is installed beside Debian's minimum
    size_mb : on disk, said before it is made
    owner : number of the user that all files are given to; 0 leaves them as they are
    """

    purpose: str
    suite: str
    packages: tuple[str, ...]
    size_mb: int
    owner: int = 0

    @property
    def folder(self) -> Path:
        """Return the folder where it is, or will be."""
        recipe = f"{self.suite} {self.packages} {self.owner}"
        digest = hashlib.sha256(recipe.encode()).hexdigest()[:12]
        return cache() / "rootfs" / f"{self.suite}-{digest}"

    def make(self) -> Path:
        """Return its folder, made if it is not there."""
        install_programs()

        with alone(self.folder.name):
            if not self.folder.exists():
                self._make()
        return self.folder

    def _make(self) -> None:
        print(
            f"Installing {self.purpose}, once: Debian {self.suite} with {', '.join(self.packages)}\n"
            f"(about {self.size_mb} MB on disk, half a minute) in {self.folder}.",
            flush=True,
        )
        self.folder.parent.mkdir(parents=True, exist_ok=True)

        with tempfile.TemporaryDirectory(prefix=".", dir=self.folder.parent) as scratch:
            made = Path(scratch) / "root"
            self._install(made)
            made.rename(self.folder)

    def _install(self, target: Path) -> None:
        subprocess.run(
            [
                "mmdebstrap",
                "--quiet",
                "--variant=minbase",
                # A frozen copy of the archive is valid, though its date has passed.
                '--aptopt=Acquire::Check-Valid-Until "false"',
                f"--include={','.join(self.packages)}",
                self.suite,
                str(target),
            ],
            check=True,
        )
        target.chmod(0o755)

        if self.owner:
            self._give_away(target)

    def _give_away(self, target: Path) -> None:
        """Give all files to an ordinary user, who builds images from them and may make no devices."""
        shutil.rmtree(target / "dev")
        (target / "dev").mkdir()
        subprocess.run(["chown", "-hR", f"{self.owner}:{self.owner}", str(target)], check=True)


#: Every node of the pool. HTCondor and Apptainer are in Debian's unstable suite only.
NODES = RootFS(
    purpose="the nodes of the test pool",
    suite="sid",
    packages=(
        "minicondor",
        "apptainer",
        "squashfuse",
        "fuse3",
        "fuse-overlayfs",
        "python3",
        "ca-certificates",
        "iproute2",
        "procps",
        "make",
    ),
    size_mb=490,
)

#: A base for images where no registry of images is reachable; beside it users have python:3.11-slim-bookworm.
IMAGE_BASE = RootFS(
    purpose="a base for images",
    suite="bookworm",
    packages=("python3", "python3-venv", "python3-pip", "ca-certificates"),
    size_mb=260,
    owner=USER_ID,
)
