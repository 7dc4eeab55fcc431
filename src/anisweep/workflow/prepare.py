"""Write a generated data set into its file."""

from __future__ import annotations

from pathlib import Path

from anisweep import datasets
from anisweep.config.project import Project
from anisweep.errors import UserError
from anisweep.formatting import counted


def prepare_dataset(project: Project, path: Path) -> str:
    """Write the generated data set that a path names, and say what it holds."""
    for name, recipe in datasets.generated().items():
        if path.name == f"{name}-{recipe.digest[:12]}.xyz":
            made = datasets.prepare(recipe, project.root / path)
            held = f"{counted(made.frames, 'frame')}, {counted(made.particles, 'particle')}"
            return f"{path}: {held}, {len(made.species)} species"

    raise UserError(f"{path}: no generated data set has this name and digest. `anisweep plan` names them.")
