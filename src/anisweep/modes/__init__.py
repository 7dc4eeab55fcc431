"""Find and load the modes: ways to compute descriptors, one file each in this folder.

A mode is a module with four public names::

    PRECISIONS = ("fp64",)
    DEVICES = ("cpu",)
    def prepare(hypers, output, precision, device) -> calculator
    def compute(calculator, frames, clock) -> TensorMap or array

A fifth, ``ENVIRONMENT``, names variables that must be set before the first import; a mode that has it is
measured in an interpreter of its own.

Files that begin with an underscore hold what several modes share, and are no modes. How to add one:
docs/how-to/add-a-mode.md.

Planning asks for names, summaries, precisions and devices on machines that have neither Torch nor
AniSOAP, so these are read from the source and nothing is imported.
"""

from __future__ import annotations

import ast
import os
from collections.abc import Callable
from contextlib import AbstractContextManager
from difflib import get_close_matches
from functools import lru_cache
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any, ParamSpec, Protocol, TypeVar

P = ParamSpec("P")
R = TypeVar("R")

FOLDER = Path(__file__).parent


class Unavailable(Exception):
    """Raised when a mode cannot do what was asked for; the reason goes into its row."""


class Timer(Protocol):
    """Define what a mode may do with the clock that it is handed: see ``anisweep.worker.clock``."""

    def stage(self, name: str) -> AbstractContextManager[None]: ...  # noqa: D102

    def wrap(self, name: str, function: Callable[P, R]) -> Callable[P, R]: ...  # noqa: D102


def names() -> list[str]:
    """Return the names of all modes, sorted."""
    return sorted(path.stem for path in FOLDER.glob("*.py") if not path.stem.startswith("_"))


def load(name: str) -> ModuleType:
    """Import one mode, and none of the others."""
    _source(name)
    return import_module(f"{__name__}.{name}")


def summary(name: str) -> str:
    """Return the first line of a mode's docstring."""
    return (ast.get_docstring(_source(name)) or "").split("\n")[0]


def precisions(name: str) -> tuple[str, ...]:
    """Return the precisions that a mode can compute in."""
    return tuple(_constant(name, "PRECISIONS"))


def devices(name: str) -> tuple[str, ...]:
    """Return the kinds of device that a mode can compute on, whether or not this machine has one."""
    return tuple(_constant(name, "DEVICES"))


def environment(name: str) -> dict[str, str]:
    """Return the environment variables that a mode's interpreter must be started with; most need none."""
    return dict(_constant(name, "ENVIRONMENT", {}))


def require(what: str, wanted: str, allowed: tuple[str, ...]) -> None:
    """Raise ``Unavailable`` unless a mode has the precision or device that is wanted."""
    if wanted not in allowed:
        raise Unavailable(f"{what} {wanted}: this mode has {', '.join(allowed)} only")


def require_environment(wanted: dict[str, str]) -> None:
    """Raise ``Unavailable`` unless this interpreter was started with the environment of a mode."""
    lacking = [f"{name}={value}" for name, value in wanted.items() if os.environ.get(name) != value]
    if lacking:
        raise Unavailable(f"this interpreter was started without {' '.join(lacking)}; a study's are not")


def _source(name: str) -> ast.Module:
    path = FOLDER / f"{name}.py"

    if name not in names():
        nearest = get_close_matches(name, names(), n=1)
        hint = f"; did you mean {nearest[0]}?" if nearest else ""
        raise ValueError(f"no mode {name!r} in {FOLDER.name}/: there are {', '.join(names())}{hint}")

    return _parsed(path)


@lru_cache
def _parsed(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


def _constant(name: str, wanted: str, otherwise: Any = None) -> Any:
    for statement in _source(name).body:
        if isinstance(statement, ast.Assign) and ast.unparse(statement.targets[0]) == wanted:
            return ast.literal_eval(statement.value)

    if otherwise is not None:
        return otherwise
    raise ValueError(f"mode {name!r} has no line `{wanted} = (...)`: write one, a tuple of strings")
