"""Compute digests of source code that do not change with comments, docstrings and layout.

Recipes of data sets and keys of cells hold such digests, so a better comment makes no result stale.
"""

from __future__ import annotations

import ast
import hashlib
import importlib.util
import json
import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

#: What may have a docstring.
_DOCUMENTED = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)

#: The folder of this package.
PACKAGE = Path(__file__).resolve().parent


def source_digest(path: Path) -> str:
    """Return the SHA-256 of the syntax tree of a Python file, without comments and docstrings.

    Raises
    ------
    SyntaxError
        When the file is not Python.
    """
    return _read(path).digest


@dataclass(frozen=True)
class _Source:
    """Hold what is asked of a file again and again: its digest, and the names of all that it imports."""

    digest: str
    imports: tuple[str, ...]


def _read(path: Path) -> _Source:
    status = path.stat()
    return _parsed(path, status.st_mtime_ns, status.st_size)


@cache
def _parsed(path: Path, modified_ns: int, size: int) -> _Source:
    """Parse a file once for each of its time stamps and sizes; a plan asks thousands of times.

    Names of relative imports begin with a dot for each level, as in the statement.
    """
    tree = ast.parse(path.read_bytes(), filename=str(path))
    names = tuple(name for statement in _statements(tree) for name in _names(statement))
    return _Source(hashlib.sha256(_canonical(tree).encode()).hexdigest(), names)


def _canonical(node: Any) -> str:
    """Return a syntax tree as JSON.

    Empty fields are left out, since what ``ast.dump`` prints for them differs between versions of Python.
    """
    if isinstance(node, list):
        return f"[{','.join([_canonical(each) for each in node])}]"

    if not isinstance(node, ast.AST):
        return _quoted(repr(node))

    kept = []
    for name in node._fields:
        value: Any = getattr(node, name, None)
        if name == "body" and _has_docstring(node):
            value = value[1:]
        if value is not None and value != []:
            kept.append(f'"{name}":{_canonical(value)}')

    return f'["{type(node).__name__}",{{{",".join(kept)}}}]'


@cache
def _quoted(text: str) -> str:
    """Return a string as JSON; the same few names come thousands of times."""
    return json.dumps(text)


def _has_docstring(node: ast.AST) -> bool:
    return isinstance(node, _DOCUMENTED) and ast.get_docstring(node, clean=False) is not None


def imported_sources(paths: Iterable[Path], package_root: Path) -> dict[str, Path]:
    """Return the modules of our own package that some files import, with what these import in turn.

    A package's ``__init__`` counts when a statement takes a name from it, and not when it is only passed
    on the way to a module: ``from anisweep.modes import Unavailable`` needs it, ``from anisweep.modes
    import numpy_only`` does not. Imports inside functions count.

    Parameters
    ----------
    paths : the files to start from, inside ``package_root``
    package_root : folder of the package, for example ``src/anisweep``

    Returns
    -------
    dict
        Module name -> file, sorted by name; without the files to start from.
    """
    starts = [path.resolve() for path in paths]
    root = package_root.resolve()
    found: dict[str, Path] = {}
    waiting = [*starts]

    while waiting:
        for module, file in _direct_imports(waiting.pop(), root):
            if module not in found:
                found[module] = file
                waiting.append(file)

    return {module: found[module] for module in sorted(found) if found[module] not in starts}


def code_of(*patterns: str) -> list[str]:
    """Return the source files that run when modules of this package are called, as a rule's inputs.

    Parameters
    ----------
    patterns : files below the package, as ``tables/cells.py`` or ``figures/*.py``. Each Python file brings
        all that it imports of the package, and so on; others, as a style, stand for themselves.

    Returns
    -------
    list of str
        Paths relative to the current folder, sorted.

    Raises
    ------
    FileNotFoundError
        When nothing has such a name: a file that was renamed would make nothing stale any more.
    """
    found: set[Path] = set()

    for pattern in patterns:
        files = list(PACKAGE.glob(pattern))
        if not files:
            raise FileNotFoundError(f"src/anisweep/{pattern}: there is no such file")

        found.update(files)

    found.update(imported_sources([file for file in found if file.suffix == ".py"], PACKAGE).values())
    return sorted(os.path.relpath(file) for file in found)


def _direct_imports(path: Path, root: Path) -> list[tuple[str, Path]]:
    package = _package_of(path, root)
    located = (_locate(_absolute(name, package), root) for name in _read(path).imports)
    return [found for found in located if found is not None]


def _statements(node: ast.AST) -> Iterator[ast.AST]:
    """Yield the statements inside a node, at any depth, without a look at what they compute."""
    for part in ("body", "orelse", "handlers", "finalbody", "cases"):
        for inner in getattr(node, part, ()):
            yield inner
            yield from _statements(inner)


def _names(node: ast.AST) -> list[str]:
    """Return the dotted names that a statement imports: ``from a.b import c`` gives ``a.b.c``."""
    if isinstance(node, ast.Import):
        return [alias.name for alias in node.names]

    if isinstance(node, ast.ImportFrom):
        base = "." * node.level + (f"{node.module}." if node.module else "")
        return [base + alias.name for alias in node.names]

    return []


def _absolute(name: str, package: str) -> str:
    return importlib.util.resolve_name(name, package) if name.startswith(".") else name


def _package_of(path: Path, root: Path) -> str:
    """Return the name of the package that holds the file, as relative imports count from it."""
    return ".".join(path.parent.relative_to(root.parent).parts)


@cache
def _locate(name: str, root: Path) -> tuple[str, Path] | None:
    """Return the module and the file that a dotted name needs; ``None`` when it is not ours.

    It looks once for each name: modules that appear while a plan is made are not asked for.
    """
    while name.partition(".")[0] == root.name:
        stem = root.parent.joinpath(*name.split("."))

        for file in (stem.with_name(stem.name + ".py"), stem / "__init__.py"):
            if file.is_file():
                return name, file

        name = name.rpartition(".")[0]

    return None
