"""Use the machine's own pool, for those who have one: ANISWEEP_POOL=system."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path


class SystemPool:
    """Run commands here, as whoever runs the tests; the nodes are not ours to break."""

    home = Path.home()

    @staticmethod
    def wanted() -> bool:
        """Return True if the machine's own pool is asked for."""
        return os.environ.get("ANISWEEP_POOL") == "system"

    @staticmethod
    def why_not() -> str:
        """Say why there is none; empty when there is."""
        return (
            "" if shutil.which("condor_submit") else "no pool on this machine: condor_submit is not in PATH"
        )

    def give(self, path: Path) -> str:
        """Return the path as it is: whoever runs the tests is the user (see `Pool.give`)."""
        return str(path)

    def run(
        self, *command: str, cwd: str = "", timeout: float | None = None, **environment: str
    ) -> subprocess.CompletedProcess[str]:
        """Run a command; see `Pool.run`."""
        return subprocess.run(
            command,
            cwd=cwd or self.home,
            env={**os.environ, **environment},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=timeout,
            check=False,
        )
