"""Write models into files of JSON, and read them; what was changed or torn since then is refused."""

from __future__ import annotations

import hashlib
import json
import os
from importlib.metadata import version
from pathlib import Path
from typing import Any

from anisweep.descriptors.errors import BadInput
from anisweep.files import read_bytes, whole

FORMAT = "anisweep model"

#: Of the content; a reader refuses what is newer than it knows.
VERSION = 1

#: Bytes of the largest model that is read: some ten million weights.
LARGEST = 2**28


def write(path: str | os.PathLike[str], content: dict[str, Any]) -> None:
    """Write the content of a model, with its digest and the versions of what made it.

    The file has its name only when all of it is there, in place of an older one.
    """
    made_by = {name: version(name) for name in ("anisweep", "numpy")}
    model = {"format": FORMAT, "version": VERSION, "made_by": made_by, **content}
    document = {**model, "sha256": _digest(model)}

    with whole(Path(path)) as stream:
        stream.write(json.dumps(document, indent=1, allow_nan=False).encode())


def read(path: str | os.PathLike[str]) -> dict[str, Any]:
    """Return the content of a model.

    Raises
    ------
    OSError
        when there is no such file
    BadInput
        for a file that is no model, that is not whole or was changed, or that a newer version wrote
    """
    try:
        document = json.loads(read_bytes(Path(path), LARGEST))
    except (ValueError, RecursionError):
        raise BadInput(
            f"{path}: it is no model, or not whole: give a file that RidgeModel.save wrote"
        ) from None

    if not isinstance(document, dict) or document.get("format") != FORMAT:
        raise BadInput(f"{path}: it is no model: give a file that RidgeModel.save wrote")
    if document.get("version") != VERSION:
        raise BadInput(
            f"{path}: it has version {document.get('version')!r:.20} of the format, and this program reads "
            f"{VERSION}: take the version of anisweep that wrote it, {document.get('made_by')!r:.60}"
        )
    if document.pop("sha256", None) != _digest(document):
        raise BadInput(f"{path}: it was changed since it was written: copy it again, or fit the model again")
    return document


def _digest(model: dict[str, Any]) -> str:
    """Return the SHA-256 of a model's canonical JSON."""
    canonical = json.dumps(model, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(canonical.encode()).hexdigest()
