"""A copy of the project in a folder of its own, where tests run its commands and edit its source."""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]

#: A safety net and never a measure: nothing here takes a tenth of it on a quiet machine.
TIMEOUT_S = 900


@dataclass(frozen=True)
class Clone:
    """A copy of the tracked tree, its commands and what lies in it."""

    root: Path
    environment: dict[str, str] = field(default_factory=dict)

    @classmethod
    def of_the_tree(cls, root: Path, **environment: str) -> Clone:
        """Every file that git tracks or would track, as it is now, and the compiled kernels."""
        listed = subprocess.run(
            ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=True,
        )

        compiled = [
            str(path.relative_to(ROOT)) for path in ROOT.glob("src/anisweep/descriptors/kernels/*.so")
        ]
        for name in filter(None, [*listed.stdout.split("\0"), *compiled]):
            if os.path.lexists(ROOT / name):
                (root / name).parent.mkdir(parents=True, exist_ok=True)
                shutil.copy2(ROOT / name, root / name, follow_symlinks=False)
        return cls(root, environment)

    def copy(self, root: Path) -> Clone:
        """The same, with everything that was made in it."""
        shutil.copytree(self.root, root, symlinks=True)
        return Clone(root, dict(self.environment))

    # --- commands ---------------------------------------------------------------------------------------

    def start(self, *command: str, **environment: str) -> subprocess.Popen[str]:
        """Start a command in a session of its own; its output is one stream."""
        return subprocess.Popen(
            command,
            cwd=self.root,
            env=self._environment(environment),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )

    def run(self, *command: str, status: int = 0, **environment: str) -> str:
        """Run a command to its end, which must have this exit status. Returns all that it said."""
        process = self.start(*command, **environment)

        try:
            said, _ = process.communicate(timeout=TIMEOUT_S)
        finally:
            process.kill()

        assert process.returncode == status, f"{' '.join(command)}: status {process.returncode}\n{said}"
        return said

    def snakemake(self, *arguments: str, status: int = 0, **environment: str) -> str:
        """`snakemake --profile local` on the study `tiny`."""
        config = ("--config", "study=tiny")
        return self.run("snakemake", "--profile", "local", *config, *arguments, status=status, **environment)

    def plan(self, *overrides: str, **environment: str) -> dict[str, Any]:
        """`anisweep plan --json` of the study `tiny`."""
        said = self.run("anisweep", "plan", "--json", "study=tiny", *overrides, **environment)
        return json.loads(said)  # type: ignore[no-any-return]

    def reasons(self, *overrides: str, **environment: str) -> Counter[str]:
        """How many cells are to be measured for which reason."""
        return Counter(cell["reason"] for cell in self.plan(*overrides, **environment)["to_measure"])

    def pending(self, *overrides: str, **environment: str) -> list[str]:
        """The rules that plain `snakemake -n` would run."""
        config = ("--config", "study=tiny", *overrides)
        said = self.run("snakemake", "--dry-run", "--cores", "1", *config, **environment)
        jobs = re.findall(r"^(?:local)?rule (\w+):\n((?:    .*\n)*)", said, re.MULTILINE)
        return sorted(rule for rule, about in jobs if "output:" in about)

    # --- files ------------------------------------------------------------------------------------------

    @property
    def artifacts(self) -> Path:
        return self.root / "results" / "artifacts"

    def digests(self) -> dict[str, str]:
        """SHA-256 of each artifact by its name."""
        files = sorted(self.artifacts.glob("[!.]*.tar.gz"))
        return {file.name: hashlib.sha256(file.read_bytes()).hexdigest() for file in files}

    def edit(self, name: str, old: str, new: str) -> None:
        """Replace the one place where ``old`` stands in a file."""
        file = self.root / name
        text = file.read_text()
        assert text.count(old) == 1, f"{name}: {old!r} stands there {text.count(old)} times"
        file.write_text(text.replace(old, new))

    def _environment(self, more: dict[str, str]) -> dict[str, str]:
        """That of a user, with this environment's programs and the source of the copy."""
        foreign = ("ANISWEEP", "PYTHON")
        inherited = {name: value for name, value in os.environ.items() if not name.startswith(foreign)}
        return {
            **inherited,
            "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
            "PYTHONPATH": str(self.root / "src"),
            "OMP_NUM_THREADS": "1",
            "PYTHONWARNINGS": "ignore::FutureWarning",
            **self.environment,
            **more,
        }
