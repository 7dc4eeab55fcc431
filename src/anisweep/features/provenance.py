"""Where features come from: all that decides their bits, and nothing that does not."""

from __future__ import annotations

import json
import platform
from dataclasses import asdict
from functools import cache
from importlib import metadata
from pathlib import Path
from typing import Any

from anisweep.cell import digest
from anisweep.datasets.userfile import content_digest
from anisweep.descriptors import library
from anisweep.features.request import Request
from anisweep.source import imported_sources, source_digest

#: Files written under another number hold something else.
FORMAT = 1

PACKAGE = Path(__file__).resolve().parents[1]
PACKAGES = ("anisweep", "ase", "numpy")


def provenance(request: Request) -> dict[str, Any]:
    """As it is written into the output, as JSON.

    Raises
    ------
    DataError
        When the file cannot be read.
    """
    plain = asdict(request)
    del plain["file"]

    return {
        "format": FORMAT,
        "file": request.file.name,
        "sha256": content_digest(request.file),
        **plain,
        "code": _code(),
        "levels": [library.level()],
        "versions": {
            "python": platform.python_version(),
            **{package: metadata.version(package) for package in PACKAGES},
        },
    }


def as_text(plain: dict[str, Any]) -> str:
    """JSON in one form only."""
    return json.dumps(plain, sort_keys=True)


@cache
def _code() -> str:
    """Digest of the source that runs, comments apart; the kernels are a digest in it."""
    start = Path(__file__).with_name("run.py")
    files = {"anisweep.features.run": start, **imported_sources(start, PACKAGE)}
    return digest({module: source_digest(path) for module, path in files.items()})
