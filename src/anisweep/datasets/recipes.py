"""List the recipes of the generated data sets, from which their names follow before the files exist."""

from __future__ import annotations

import ast
import importlib
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from functools import cached_property
from pathlib import Path
from types import ModuleType
from typing import Any

from ase import Atoms

from anisweep.cell import digest
from anisweep.source import PACKAGE, imported_sources, source_digest

FOLDER = Path(__file__).parent / "generators"


#: The seed of every generated data set; frame k draws from (seed, k).
SEED = 1


@dataclass(frozen=True)
class Recipe:
    """Say how a generated data set is made.

    Attributes
    ----------
    name : name of the data set
    module : name of the generator's file, without ``.py``
    frames : how many frames the file holds
    parameters : what ``generate`` is given besides frames and seed
    """

    name: str
    module: str
    frames: int
    seed: int = SEED
    parameters: dict[str, Any] = field(default_factory=dict)

    @cached_property
    def digest(self) -> str:
        """Return the SHA-256 of the recipe and of the code that it runs."""
        path = FOLDER / f"{self.module}.py"
        files = {self.module: path, **imported_sources([path], PACKAGE)}
        code = {module: source_digest(file) for module, file in files.items()}
        return digest({"recipe": asdict(self), "code": code})

    @property
    def made(self) -> str:
        """Return the docstring of the generator."""
        return ast.get_docstring(ast.parse((FOLDER / f"{self.module}.py").read_text())) or ""

    def generate(self) -> Iterator[Atoms]:
        """Yield the canonical frames."""
        made: Iterator[Atoms] = self._generator.generate(self.frames, self.seed, **self.parameters)
        return made

    def shapes(self) -> Iterator[Atoms]:
        """Yield the canonical frames, without energies where these take long: an estimate needs none."""
        generate = getattr(self._generator, "shapes", self._generator.generate)
        made: Iterator[Atoms] = generate(self.frames, self.seed, **self.parameters)
        return made

    @property
    def _generator(self) -> ModuleType:
        return importlib.import_module(f"anisweep.datasets.generators.{self.module}")


def generated() -> dict[str, Recipe]:
    """Return the recipe of each data set in ``generators/``, by name."""
    recipes: dict[str, Recipe] = {}

    for path in sorted(FOLDER.glob("[!_]*.py")):
        module = importlib.import_module(f"anisweep.datasets.generators.{path.stem}")

        for name, parameters in module.NAMES.items():
            if name in recipes:
                raise ValueError(f"two generators make {name!r}: {recipes[name].module}.py and {path.name}")
            recipes[name] = Recipe(name, path.stem, module.FRAMES, parameters=parameters)

    return recipes
