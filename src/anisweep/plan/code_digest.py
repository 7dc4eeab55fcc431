"""Compute the digest of the code that measures a cell."""

from __future__ import annotations

from functools import lru_cache

from anisweep.cell import digest
from anisweep.modes import file_of
from anisweep.source import PACKAGE, imported_sources, source_digest


@lru_cache
def code_files(mode: str) -> dict[str, str]:
    """Return the digest of each source file that a mode's measurement runs through, by module.

    Those are the worker, the mode's own file, and what they import of this package. Comments,
    docstrings and blank lines do not count.
    """
    roots = [PACKAGE / file_of(mode), *sorted((PACKAGE / "worker").glob("*.py"))]
    files = {"anisweep." + ".".join(root.relative_to(PACKAGE).with_suffix("").parts): root for root in roots}
    files.update(imported_sources(roots, PACKAGE))

    return {module: source_digest(path) for module, path in sorted(files.items())}


def code_digest(mode: str) -> str:
    """Return one digest for all the files of `code_files`."""
    return digest(code_files(mode))
