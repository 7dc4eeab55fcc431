"""Record everything that decides the bits of the features, and nothing else."""

from __future__ import annotations

import json
import platform
from dataclasses import asdict
from functools import cache
from importlib import metadata
from pathlib import Path
from typing import Any

from anisweep.cell import digest
from anisweep.datasets.user_files.userfile import content_digest
from anisweep.describe.request import Request
from anisweep.descriptors.kernels import loader
from anisweep.source import PACKAGE, imported_sources, source_digest

#: Files written under another number hold something else.
FORMAT = 2

PACKAGES = ("anisweep", "ase", "numpy")


def provenance(request: Request, start: Path) -> dict[str, Any]:
    """Return the provenance that is written into the output, as plain values.

    Parameters
    ----------
    start : the file of source that computes the output, with what it imports

    Raises
    ------
    DataError
        When the file cannot be read.
    """
    plain = asdict(request)
    del plain["file"]
    if request.piece:  # its key says which code
        plain["host"] = platform.node()
    else:
        del plain["piece"]
        plain["code"] = code_digest(start)

    return {
        "format": FORMAT,
        "file": request.file.name,
        "sha256": content_digest(request.file),
        **plain,
        "levels": [loader.level()],
        "versions": {
            "python": platform.python_version(),
            **{package: metadata.version(package) for package in PACKAGES},
        },
    }


def as_text(plain: dict[str, Any]) -> str:
    """Return plain values as JSON with sorted keys, so that equal ones give equal texts."""
    return json.dumps(plain, sort_keys=True)


@cache
def code_digest(start: Path) -> str:
    """Return the digest of the source that runs, without comments; it includes the digest of the kernels."""
    files = {start.stem: start, **imported_sources([start], PACKAGE)}
    return digest({module: source_digest(path) for module, path in files.items()})
