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

The modes of a task (`anisweep.tasks`) go by two names, as ``forces.c_kernels``, and are found here as well.

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
from typing import TYPE_CHECKING, Any, ParamSpec, Protocol, TypeVar

if TYPE_CHECKING:
    from ase import Atoms

    from anisweep.cell import Cell

P = ParamSpec("P")
R = TypeVar("R")

FOLDER = Path(__file__).parent
TASKS = FOLDER.parent / "tasks"


class Unavailable(Exception):
    """Raised when a mode cannot do what was asked for; the reason goes into its row."""


class Timer(Protocol):
    """Define what a mode may do with the clock that it is handed: see ``anisweep.worker.clock``."""

    def stage(self, name: str) -> AbstractContextManager[None]: ...  # noqa: D102

    def wrap(self, name: str, function: Callable[P, R]) -> Callable[P, R]: ...  # noqa: D102


def names() -> list[str]:
    """Return the names of all modes, sorted."""
    return sorted(path.stem for path in FOLDER.glob("*.py") if not path.stem.startswith("_"))


def tasks() -> list[str]:
    """Return the names of all tasks, sorted."""
    return sorted(path.stem for path in TASKS.glob("*.py") if not path.stem.startswith("_"))


def task_of(name: str) -> str:
    """Return the task of a mode: ``forces`` of ``forces.c_kernels``; empty where it computes descriptors."""
    return name.rpartition(".")[0]


def names_in(task: str) -> list[str]:
    """Return the modes of a task, the first of which is its usual reference."""
    return [f"{task}.{mode}" for mode in _constant(f"{task}.", "MODES")]


def file_of(name: str) -> str:
    """Return the file that holds a mode, as its path in the package; the modes of a task share one."""
    task = task_of(name)
    return f"tasks/{task}.py" if task else f"modes/{name}.py"


def load(name: str) -> ModuleType:
    """Import one mode, and none of the others."""
    _source(name)
    task = task_of(name)
    return import_module(f"anisweep.tasks.{task}" if task else f"{__name__}.{name}")


def prepare(cell: Cell, frames: list[Atoms]) -> Any:
    """Return the calculator of a cell, which its mode's ``compute`` takes."""
    mode = load(cell.mode)
    if task_of(cell.mode):
        way = cell.mode.rpartition(".")[2]
        return mode.prepare(way, cell.hypers, cell.precision, cell.device, frames)
    return mode.prepare(cell.hypers, cell.output, cell.precision, cell.device)


def summary(name: str) -> str:
    """Return the first line of a mode's docstring, or what its task says of it."""
    task, _, way = name.rpartition(".")
    if task:
        return str(_constant(name, "MODES")[way])
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


def seconds_of_results(name: str) -> float:
    """Return how long a task's ``results`` take, about."""
    return float(_constant(name, "RESULTS_S", 0.0))


def same_result(name: str) -> bool:
    """Return False for the modes of a task whose results are not to be compared with one another."""
    return bool(_constant(name, "SAME_RESULT", True))


def meanings_of_results(task: str) -> dict[str, str]:
    """Return what each number that a task gives besides its times means."""
    return dict(_constant(f"{task}.", "RESULTS"))


def judged_by(task: str) -> str:
    """Return the number of a task's results that is the better the smaller it is; most tasks have none."""
    return str(_constant(f"{task}.", "JUDGED_BY", ""))


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
    task = task_of(name)
    folder, stem, allowed = (TASKS, task, tasks()) if task else (FOLDER, name, names())

    if stem not in allowed:
        nearest = get_close_matches(stem, allowed, n=1)
        hint = f"; did you mean {nearest[0]}?" if nearest else ""
        what = "task" if task else "mode"
        raise ValueError(f"no {what} {stem!r} in {folder.name}/: there are {', '.join(allowed)}{hint}")

    return _parsed(folder / f"{stem}.py")


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
