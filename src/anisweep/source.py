"""Digests of source code that ignore what does not run: comments, docstrings, layout.

Recipes of data sets and keys of cells hold such digests, so a better comment makes no result stale.
"""

from __future__ import annotations

import ast
import hashlib
import importlib.util
import json
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any


def source_digest(path: Path) -> str:
    """SHA-256 of the syntax tree of a Python file, without comments and docstrings.

    Raises
    ------
    SyntaxError
        When the file is not Python.
    """
    status = path.stat()
    return _digest(path, status.st_mtime_ns, status.st_size)


@cache
def _digest(path: Path, modified_ns: int, size: int) -> str:
    """A plan asks for the same few files for thousands of cells; time stamp and size renew the answer."""
    tree = ast.parse(path.read_bytes(), filename=str(path))
    canonical = json.dumps(_plain(tree), separators=(",", ":"))
    return hashlib.sha256(canonical.encode()).hexdigest()


def _plain(node: Any) -> Any:
    """The tree as nested lists.

    Empty fields are left out, since what ``ast.dump`` prints for them differs between versions of Python.
    """
    if isinstance(node, list):
        return [_plain(item) for item in node]

    if not isinstance(node, ast.AST):
        return repr(node)

    fields = dict(ast.iter_fields(node))
    if _has_docstring(node):
        fields["body"] = fields["body"][1:]

    kept = {name: _plain(value) for name, value in fields.items() if value is not None and value != []}
    return [type(node).__name__, kept]


def _has_docstring(node: ast.AST) -> bool:
    documented = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
    return isinstance(node, documented) and ast.get_docstring(node, clean=False) is not None


def imported_sources(path: Path, package_root: Path) -> dict[str, Path]:
    """The modules of our own package that a file imports, with what these import in turn.

    A package's ``__init__`` counts when a statement takes a name from it, and not when it is only passed
    on the way to a module: ``from anisweep.modes import Unavailable`` needs it, ``from anisweep.modes
    import numpy_only`` does not. Imports inside functions count.

    Parameters
    ----------
    path : the file to start from, inside ``package_root``
    package_root : folder of the package, for example ``src/anisweep``

    Returns
    -------
    dict
        Module name -> file, sorted by name; without the file itself.
    """
    found: dict[str, Path] = {}
    waiting = [path.resolve()]

    while waiting:
        current = waiting.pop()
        for module, file in _direct_imports(current, package_root.resolve()):
            if module not in found:
                found[module] = file
                waiting.append(file)

    return {module: found[module] for module in sorted(found) if found[module] != path.resolve()}


def _direct_imports(path: Path, root: Path) -> Iterator[tuple[str, Path]]:
    status = path.stat()

    for name in _imported_names(path, _package_of(path, root), status.st_mtime_ns, status.st_size):
        found = _locate(name, root)
        if found is not None:
            yield found


@cache
def _imported_names(path: Path, package: str, modified_ns: int, size: int) -> list[str]:
    """All that a file imports; remembered like its digest."""
    tree = ast.parse(path.read_bytes(), filename=str(path))
    return [name for node in ast.walk(tree) for name in _names(node, package)]


def _names(node: ast.AST, package: str) -> list[str]:
    """Dotted names that an import statement asks for: ``from a.b import c`` gives ``a.b.c``."""
    if isinstance(node, ast.Import):
        return [alias.name for alias in node.names]

    if isinstance(node, ast.ImportFrom):
        source = "." * node.level + (node.module or "")
        base = importlib.util.resolve_name(source, package) if node.level else source
        return [f"{base}.{alias.name}" for alias in node.names]

    return []


def _package_of(path: Path, root: Path) -> str:
    """Name of the package that holds the file, as relative imports count from it."""
    return ".".join(path.parent.relative_to(root.parent).parts)


def _locate(name: str, root: Path) -> tuple[str, Path] | None:
    """Module and file that a dotted name needs; ``None`` when it is not ours."""
    while name.partition(".")[0] == root.name:
        stem = root.parent.joinpath(*name.split("."))

        for file in (stem.with_name(stem.name + ".py"), stem / "__init__.py"):
            if file.is_file():
                return name, file

        name = name.rpartition(".")[0]

    return None
