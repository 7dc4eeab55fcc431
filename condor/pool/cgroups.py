"""Make the cgroups (version 1) of a node's jobs, so that HTCondor can hold one that takes too much memory."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from condor.pool.machine import CGROUPS, CONTROLLERS


@dataclass(frozen=True)
class Groups:
    """Manage one group in each hierarchy, which a node sees as the root of that hierarchy."""

    name: str

    def make(self) -> None:
        """Make the groups."""
        for folder in self._folders():
            folder.mkdir(parents=True, exist_ok=True)

    def bwrap_options(self) -> list[str]:
        """Return options by which a node sees these groups and nothing else of the machine's."""
        options = ["--tmpfs", str(CGROUPS)]
        for controller, known_as in CONTROLLERS.items():
            options += ["--bind", str(CGROUPS / controller / self.name), str(CGROUPS / known_as)]
        return options

    def remove(self) -> None:
        """Remove them and what HTCondor made below; all their processes have ended."""
        for folder in self._folders():
            for path, _, _ in os.walk(folder, topdown=False):
                os.rmdir(path)

    def _folders(self) -> Iterator[Path]:
        for controller in CONTROLLERS:
            yield CGROUPS / controller / self.name
