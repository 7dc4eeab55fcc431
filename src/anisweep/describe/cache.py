"""Keep features of frames in a folder, so that describing the same frames again reads them."""

from __future__ import annotations

import hashlib
import json
import os
import zipfile
from collections.abc import Sequence
from dataclasses import fields
from pathlib import Path
from typing import Any

import numpy as np

from anisweep.describe import format_npz
from anisweep.describe.provenance import code_digest
from anisweep.descriptors import Descriptors, EllipsoidalDensityProjection
from anisweep.descriptors import projection as described_by
from anisweep.descriptors.kernels import loader
from anisweep.descriptors.kernels.run import Output
from anisweep.files import open_plain, whole
from anisweep.models.projections import hyperparameters_of


def describe_cached(
    projection: EllipsoidalDensityProjection,
    frames: Any,
    cache: str | os.PathLike[str],
    output: Output = "power_spectrum",
    per_centre: bool = False,
    species: Sequence[int] | None = None,
) -> Descriptors:
    """Return what ``projection.describe`` gives, from a folder where it was described before.

    An entry is that of the same frames, hyperparameters, code and instruction set. It is as large as the
    features, and stays until you remove it; one that is damaged is computed again.

    Parameters
    ----------
    projection, frames, output, per_centre, species
        As for ``projection.describe``.
    cache : str or Path
        The folder, which is made when it is not there.

    Raises
    ------
    BadInput
        For frames, naming frame and particle.
    OSError
        When the folder cannot be written.
    """
    path = Path(cache, f"{_key(projection, frames, (output, bool(per_centre), species))}.npz")
    try:
        return _read(path)
    except format_npz.UNREADABLE:
        features = projection.describe(frames, output, per_centre, species)
        path.parent.mkdir(parents=True, exist_ok=True)
        with whole(path) as stream:
            _write(features, stream)
        return features


def _key(projection: EllipsoidalDensityProjection, frames: Any, asked: tuple[Any, ...]) -> str:
    """Return the SHA-256 of everything that decides the bits of the features."""
    output, per_centre, species = asked
    named = None if species is None else [int(kind) for kind in species]
    code = [code_digest(Path(described_by.__file__)), loader.level()]
    plain = [hyperparameters_of(projection), output, per_centre, named, code]
    found = hashlib.sha256(json.dumps(plain).encode())

    arrays = projection.gather(frames)
    for name in ("start", "numbers", "positions", "rotations", "diameters", "cells", "periodic"):
        found.update(np.ascontiguousarray(getattr(arrays, name)).data)
    return found.hexdigest()


def _write(features: Descriptors, stream: Any) -> None:
    with zipfile.ZipFile(stream, "w") as zipped:
        for field in fields(features):
            format_npz.write_array(zipped, field.name, np.asarray(getattr(features, field.name)))


def _read(path: Path) -> Descriptors:
    """Return the features of an entry; reading compares the checksums of all its arrays."""
    with open_plain(path) as stream, zipfile.ZipFile(stream) as zipped:
        there: dict[str, Any] = {
            field.name: format_npz.read_array(zipped, field.name) for field in fields(Descriptors)
        }
    plain = {"output": str(there["output"]), "dropped": bool(there["dropped"])}
    return Descriptors(**{**there, **plain, "counts": tuple(there["counts"].tolist())})
