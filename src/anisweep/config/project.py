"""Find the folders and files of a project."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from anisweep.errors import UserError

TABLES = "tables"

#: The folder of what was submitted to clusters, relative to the project.
BATCHES = "results/batches"


@dataclass(frozen=True)
class Project:
    """Give the paths of a project; all are relative to the folder that holds the Snakefile."""

    root: Path

    @classmethod
    def find(cls) -> Project:
        """Return the project around the current folder, or the one named by ANISWEEP_PROJECT."""
        start = Path(os.environ.get("ANISWEEP_PROJECT", ".")).resolve()

        for folder in (start, *start.parents):
            if (folder / "Snakefile").is_file() and (folder / "config" / "studies").is_dir():
                return cls(folder)

        raise UserError(
            f"{start} is not inside an AniSweep project (a folder with Snakefile and config/studies).\n"
            "Change to your clone, or set ANISWEEP_PROJECT to it."
        )

    @property
    def results(self) -> Path:
        """Return the folder that all results go to."""
        return self.root / "results"

    @property
    def artifacts(self) -> Path:
        """Return the folder of the artifacts."""
        return self.results / "artifacts"

    @property
    def bundle_tables(self) -> Path:
        """Return the folder of what came with bundles: tables of old ones, and what was checked of ours."""
        return self.results / TABLES

    @property
    def state(self) -> Path:
        """Return the folder of what can be rebuilt from the rest: indexes and locks."""
        return self.results / ".anisweep"

    def tables(self, study: str) -> Path:
        """Return the folder of a study's tables."""
        return self.results / study / TABLES

    def kept_cells(self, study: str) -> Path:
        """Return where a study's table of cells is kept to grow, without the endings of its files."""
        return self.state / "tables" / study

    def figures(self, study: str) -> Path:
        """Return the folder of a study's figures."""
        return self.results / study / "figures"

    def studies_with(self, table: str) -> list[str]:
        """Return the studies whose tables have a file of this name, sorted."""
        return sorted(file.parents[1].name for file in self.results.glob(f"*/{TABLES}/{table}"))

    def study_file(self, name: str) -> Path:
        """Return the file of a study, whether it is there or not."""
        return self.root / "config" / "studies" / f"{name}.yaml"

    def features_file(self, name: str) -> Path:
        """Return the file that asks for features by a name, whether it is there or not."""
        return self.root / "config" / "features" / f"{name}.yaml"

    def study_names(self) -> list[str]:
        """Return the names of all studies, sorted."""
        return sorted(path.stem for path in (self.root / "config" / "studies").glob("*.yaml"))

    def claim_files(self) -> list[Path]:
        """Return the sources of claims, one a file; their names give the order."""
        return sorted((self.root / "config" / "claims").glob("*.yaml"))
